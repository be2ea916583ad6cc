use std::env;

use crate::gemm::Tiles;
#[cfg(target_arch = "aarch64")]
use crate::simd::Neon;
use crate::simd::Portable;
#[cfg(target_arch = "x86_64")]
use crate::simd::{Avx2, Avx512};
use crate::{Result, RuntimeError};

/// The environment variable that forces an instruction set: `avx512`, `avx2`, `neon` or `portable`.
pub const KERNELS_VARIABLE: &str = "ECHOLABEL_KERNELS";

/// Vector instruction set that kernels are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstructionSet {
    /// 16 numbers at a time; needs AVX-512 F, DQ, BW and VL.
    Avx512,
    /// 8 numbers at a time; needs AVX2 and FMA.
    Avx2,
    /// 4 numbers at a time; every 64-bit ARM processor has it. Its speed has not been measured.
    Neon,
    /// Plain Rust, for any processor.
    Portable,
}

impl InstructionSet {
    /// All sets, from the fastest to the slowest.
    const ALL: [Self; 4] = [Self::Avx512, Self::Avx2, Self::Neon, Self::Portable];

    /// Returns the set that `ECHOLABEL_KERNELS` names, or else the fastest that this processor has.
    ///
    /// # Errors
    /// An unknown name, or a set that this processor lacks.
    pub fn detect() -> Result<Self> {
        match env::var(KERNELS_VARIABLE) {
            Ok(name) => Self::from_name(&name)?.checked(),
            Err(_) => Ok(Self::available().next().unwrap_or(Self::Portable)),
        }
    }

    /// Returns the sets that this processor has, the fastest first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|set| set.is_available())
    }

    /// Returns true if this processor has the set.
    pub fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => Avx512::detect().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => Avx2::detect().is_some(),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => Neon::detect().is_some(),
            Self::Portable => true,
            // The sets of other kinds of processor.
            _ => false,
        }
    }

    /// Returns the name that `ECHOLABEL_KERNELS` takes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Neon => "neon",
            Self::Portable => "portable",
        }
    }

    fn from_name(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|set| set.name() == name);
        found.ok_or_else(|| RuntimeError::UnknownInstructionSet(name.to_owned()))
    }

    /// Returns the set if this processor has it.
    pub(crate) fn checked(self) -> Result<Self> {
        if self.is_available() {
            return Ok(self);
        }
        let available: Vec<_> = Self::available().map(Self::name).collect();
        Err(RuntimeError::InstructionSetMissing { asked: self.name(), available: available.join(", ") })
    }

    /// Runs `task` with the lanes of this set; with portable ones where the processor lacks it.
    pub(crate) fn with_lanes<T: LanesTask>(self, task: T) -> T::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => match Avx512::detect() {
                Some(lanes) => task.run(lanes),
                None => task.run(Portable),
            },
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => match Avx2::detect() {
                Some(lanes) => task.run(lanes),
                None => task.run(Portable),
            },
            #[cfg(target_arch = "aarch64")]
            Self::Neon => match Neon::detect() {
                Some(lanes) => task.run(lanes),
                None => task.run(Portable),
            },
            _ => task.run(Portable),
        }
    }
}

/// Task that is generic over the lanes of an instruction set.
pub(crate) trait LanesTask {
    type Output;

    fn run<L: Tiles>(self, lanes: L) -> Self::Output;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for set in InstructionSet::ALL {
            assert_eq!(InstructionSet::from_name(set.name()), Ok(set));
        }
        assert!(InstructionSet::from_name("sse2").is_err());
    }

    #[test]
    fn a_set_of_another_kind_of_processor_is_refused_with_the_names_of_its_own() {
        let missing = if cfg!(target_arch = "aarch64") { InstructionSet::Avx2 } else { InstructionSet::Neon };
        let refusal = missing.checked().unwrap_err().to_string();
        assert!(refusal.contains(missing.name()), "{refusal}");
        for set in InstructionSet::available() {
            assert!(refusal.contains(set.name()), "{refusal}");
        }
    }

    #[cfg(target_arch = "aarch64")]
    #[test]
    fn arm_runs_neon_by_itself() {
        assert_eq!(InstructionSet::available().next(), Some(InstructionSet::Neon));
    }

    #[test]
    fn portable_is_always_there_and_last() {
        assert_eq!(InstructionSet::available().last(), Some(InstructionSet::Portable));
    }
}
