//! Checks of the rules in ARCHITECTURE.md that the compiler does not check. They read source text and build nothing.

mod dependencies;
mod isolation;
mod sources;
mod style;
