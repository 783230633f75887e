//! What keeps a call inside its limits: budgets, memory, interruption and panics. Imports errors alone.

pub(crate) mod budget;
pub(crate) mod interrupt;
pub(crate) mod memory;
pub(crate) mod panics;
