//! A bounded memory of what was used recently.

use std::collections::HashMap;
use std::hash::Hash;
use std::mem;
use std::sync::{Arc, PoisonError, RwLock};

/// Remembers entries in two generations. When the young one is full it becomes the old one, and what was not asked
/// for since then is forgotten. A hit on the young generation takes no exclusive lock.
pub(crate) struct RecentlyUsed<K, V> {
    /// Of one generation; there are never more than twice as many entries.
    capacity: usize,
    generations: RwLock<Generations<K, V>>,
}

struct Generations<K, V> {
    young: HashMap<K, Arc<V>>,
    old: HashMap<K, Arc<V>>,
}

impl<K: Copy + Eq + Hash, V> RecentlyUsed<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        let generations = Generations { young: HashMap::new(), old: HashMap::new() };
        Self { capacity, generations: RwLock::new(generations) }
    }

    pub(crate) fn get(&self, key: K) -> Option<Arc<V>> {
        {
            let generations = self.generations.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(value) = generations.young.get(&key) {
                return Some(Arc::clone(value));
            }
            if !generations.old.contains_key(&key) {
                return None;
            }
        }
        let mut generations = self.generations.write().unwrap_or_else(PoisonError::into_inner);
        // Somebody else may have moved it in the meantime.
        let value = generations.old.remove(&key).or_else(|| generations.young.get(&key).cloned())?;
        generations.insert(key, Arc::clone(&value), self.capacity);
        Some(value)
    }

    pub(crate) fn insert(&self, key: K, value: Arc<V>) {
        let mut generations = self.generations.write().unwrap_or_else(PoisonError::into_inner);
        generations.insert(key, value, self.capacity);
    }
}

impl<K: Eq + Hash, V> Generations<K, V> {
    fn insert(&mut self, key: K, value: Arc<V>, capacity: usize) {
        if self.young.len() >= capacity && !self.young.contains_key(&key) {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(memory: &RecentlyUsed<u32, u32>) -> usize {
        let generations = memory.generations.read().unwrap();
        generations.young.len() + generations.old.len()
    }

    #[test]
    fn it_never_holds_more_than_two_generations() {
        let memory = RecentlyUsed::new(8);
        for key in 0..1_000 {
            memory.insert(key, Arc::new(key));
            assert!(held(&memory) <= 16);
        }
        assert_eq!(memory.get(999).as_deref(), Some(&999));
        assert!(memory.get(0).is_none());
    }

    #[test]
    fn what_is_used_stays() {
        let memory = RecentlyUsed::new(8);
        memory.insert(7, Arc::new(7));
        for key in 100..200 {
            memory.insert(key, Arc::new(key));
            assert_eq!(memory.get(7).as_deref(), Some(&7), "after {key}");
        }
    }

    #[test]
    fn the_last_value_of_a_key_counts() {
        let memory = RecentlyUsed::new(1);
        memory.insert(1, Arc::new(10));
        memory.insert(2, Arc::new(20));
        memory.insert(1, Arc::new(11));
        assert_eq!(memory.get(1).as_deref(), Some(&11));
    }
}
