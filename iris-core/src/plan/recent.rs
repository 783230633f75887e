//! The plans used last, of those that one model may need many of.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Result;

/// How many plans are kept.
const PLANS: usize = 16;

/// Plans by what they were made for, the one used last first.
pub(crate) struct Recent<K, P> {
    plans: Mutex<VecDeque<(K, Arc<P>)>>,
}

impl<K, P> Default for Recent<K, P> {
    fn default() -> Self {
        Self {
            plans: Mutex::default(),
        }
    }
}

impl<K: PartialEq + Clone, P> Recent<K, P> {
    /// The plan for `key`, which `make` makes if it is not kept. No other caller waits for the making.
    pub(crate) fn planned(&self, key: &K, make: impl FnOnce() -> Result<P>) -> Result<Arc<P>> {
        if let Some(planned) = self.recall(key) {
            return Ok(planned);
        }
        let planned = Arc::new(make()?);
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        plans.push_front((key.clone(), Arc::clone(&planned)));
        plans.truncate(PLANS);
        Ok(planned)
    }

    fn recall(&self, key: &K) -> Option<Arc<P>> {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        let index = plans.iter().position(|(known, _)| known == key)?;
        let entry = plans.remove(index)?;
        let planned = Arc::clone(&entry.1);
        plans.push_front(entry);
        Some(planned)
    }
}
