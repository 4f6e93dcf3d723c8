//! domain
mod span; mod call; mod label; pub use span::{Span,join}; pub use call::*; pub use label::*;
