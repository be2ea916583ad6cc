use std::error::Error;
use std::fmt;
use std::str::FromStr;

use candle_core::Device;

use crate::{NnError, Result};

/// The device a user asked for, as written on the command line or in a configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// The first GPU of this build that opens, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The CUDA device with this ordinal.
    Cuda(usize),
    /// The first Metal device.
    Metal,
}

impl DeviceChoice {
    /// Opens the device.
    ///
    /// `Auto` never fails: it falls back to the CPU and logs why. A device asked for by name is an error when it cannot
    /// be opened, since silently running a hundred times slower would be worse.
    ///
    /// # Errors
    /// A device asked for by name is not there or not part of this build.
    pub fn open(self) -> Result<Device> {
        match self {
            Self::Cpu => Ok(Device::Cpu),
            Self::Cuda(ordinal) => open_cuda(ordinal).map_err(|reason| self.unavailable(reason)),
            Self::Metal => open_metal().map_err(|reason| self.unavailable(reason)),
            Self::Auto => Ok(open_first_gpu().unwrap_or(Device::Cpu)),
        }
    }

    fn unavailable(self, reason: String) -> NnError {
        NnError::DeviceUnavailable { name: self.to_string(), reason }
    }
}

fn open_first_gpu() -> Option<Device> {
    for (built, name, opened) in [
        (cfg!(feature = "cuda"), "cuda", open_cuda as fn(usize) -> std::result::Result<Device, String>),
        (cfg!(feature = "metal"), "metal", |_| open_metal()),
    ] {
        if !built {
            continue;
        }
        match opened(0) {
            Ok(device) => return Some(device),
            Err(reason) => tracing::warn!(device = name, reason, "gpu not usable, running on the cpu"),
        }
    }
    None
}

fn open_cuda(ordinal: usize) -> std::result::Result<Device, String> {
    if cfg!(feature = "cuda") {
        // A backtrace follows the first line.
        let said = |error: candle_core::Error| error.to_string().lines().next().unwrap_or_default().to_owned();
        Device::new_cuda(ordinal).map_err(said)
    } else {
        Err("this build has no CUDA support (cargo feature `cuda`)".to_owned())
    }
}

fn open_metal() -> std::result::Result<Device, String> {
    if cfg!(feature = "metal") {
        Device::new_metal(0).map_err(|error| error.to_string())
    } else {
        Err("this build has no Metal support (cargo feature `metal`)".to_owned())
    }
}

impl FromStr for DeviceChoice {
    type Err = NnError;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            "metal" => Ok(Self::Metal),
            other => other
                .strip_prefix("cuda:")
                .and_then(|ordinal| ordinal.parse().ok())
                .map(Self::Cuda)
                .ok_or_else(|| NnError::UnknownDevice(other.to_owned())),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => formatter.write_str("auto"),
            Self::Cpu => formatter.write_str("cpu"),
            Self::Cuda(ordinal) => write!(formatter, "cuda:{ordinal}"),
            Self::Metal => formatter.write_str("metal"),
        }
    }
}

/// Returns true if the error, or one of its sources, says that a GPU is out of memory.
///
/// It goes by the names that CUDA's driver and cuBLAS give their errors, since their types exist in CUDA builds only.
pub fn ran_out_of_memory(error: &(dyn Error + 'static)) -> bool {
    const NAMES: [&str; 2] = ["CUDA_ERROR_OUT_OF_MEMORY", "CUBLAS_STATUS_ALLOC_FAILED"];
    let text = error.to_string();
    NAMES.iter().any(|name| text.contains(name)) || error.source().is_some_and(ran_out_of_memory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_nonsense_is_refused() {
        for name in ["auto", "cpu", "cuda:0", "cuda:3", "metal"] {
            assert_eq!(name.parse::<DeviceChoice>().unwrap().to_string(), name);
        }
        assert_eq!("cuda".parse::<DeviceChoice>().unwrap(), DeviceChoice::Cuda(0));
        for name in ["", "gpu", "cuda:", "cuda:x", "CPU"] {
            assert!(name.parse::<DeviceChoice>().is_err(), "{name:?}");
        }
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_device_asked_for_by_name_is_not_replaced_in_silence() {
        let error = DeviceChoice::Cuda(0).open().unwrap_err().to_string();
        assert!(error.contains("cuda:0") && error.contains("feature"), "{error}");
        assert!(DeviceChoice::Auto.open().unwrap().is_cpu());
    }

    /// Says something only on a machine without a GPU.
    #[cfg(feature = "cuda")]
    #[test]
    fn without_a_gpu_auto_is_the_cpu_and_cuda_by_name_says_what_to_do() {
        let Err(error) = DeviceChoice::Cuda(0).open() else { return };
        let error = error.to_string();
        assert!(error.contains("cuda:0 cannot be opened: DriverError(") && error.contains("--device auto"), "{error}");
        assert!(DeviceChoice::Auto.open().unwrap().is_cpu());
    }

    #[test]
    fn a_gpu_without_memory_is_known_through_the_errors_around_it() {
        let driver = |text: &str| candle_core::Error::Cuda(text.into());
        let full = driver("DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")");
        assert!(ran_out_of_memory(&NnError::Tensor(full)));
        assert!(ran_out_of_memory(&driver("CublasError(CUBLAS_STATUS_ALLOC_FAILED)").context("encoder")));
        assert!(!ran_out_of_memory(&NnError::Tensor(driver("DriverError(CUDA_ERROR_ILLEGAL_ADDRESS, \"...\")"))));
        assert!(!ran_out_of_memory(&NnError::NotTraceable));
    }
}
