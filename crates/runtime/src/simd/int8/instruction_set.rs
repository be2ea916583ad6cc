#[cfg(target_arch = "x86_64")]
use super::avx_vnni::AvxVnni;
#[cfg(target_arch = "aarch64")]
use super::neon::DotProducts;
#[cfg(target_arch = "x86_64")]
use super::vnni::Vnni;
use crate::instruction_set::InstructionSet;
#[cfg(target_arch = "x86_64")]
use crate::simd::Avx2;
#[cfg(target_arch = "aarch64")]
use crate::simd::Neon;
use crate::simd::Portable;

/// Int8 instructions that go with an instruction set.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Int8InstructionSet {
    #[cfg(target_arch = "x86_64")]
    Vnni(Vnni),
    #[cfg(target_arch = "x86_64")]
    AvxVnni(AvxVnni),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "aarch64")]
    DotProducts(DotProducts),
    #[cfg(target_arch = "aarch64")]
    Neon(Neon),
    Portable(Portable),
}

impl Int8InstructionSet {
    /// Chooses the fastest that this processor has; AVX-512 without VNNI has nothing better than what goes with AVX2.
    pub(crate) fn for_set(set: InstructionSet) -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if let (InstructionSet::Avx512, Some(lanes)) = (set, Vnni::detect()) {
                return Self::Vnni(lanes);
            }
            if matches!(set, InstructionSet::Avx512 | InstructionSet::Avx2) {
                if let Some(lanes) = AvxVnni::detect() {
                    return Self::AvxVnni(lanes);
                }
                if let Some(lanes) = Avx2::detect() {
                    return Self::Avx2(lanes);
                }
            }
        }
        #[cfg(target_arch = "aarch64")]
        if set == InstructionSet::Neon {
            if let Some(lanes) = DotProducts::detect() {
                return Self::DotProducts(lanes);
            }
            if let Some(lanes) = Neon::detect() {
                return Self::Neon(lanes);
            }
        }
        let _ = set;
        Self::Portable(Portable)
    }
}
