//! Loops in object stores: S3, and a folder that is used as one.
//!
//! Objects are listed, read by ranges and put only where nothing has their name. The store's client is async, on a runtime of
//! its own; the functions here are not.

mod error;
mod reader;
mod stores;
mod url;

pub use error::ObjectError;
pub use reader::ObjectReader;
pub use stores::{ObjectInfo, ObjectStores};
pub use url::ObjectUrl;
