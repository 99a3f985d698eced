//! What hand-outs have to reach, beside what else was measured in the same run.

use super::report::{Comparison, label};
use super::{BEFORE_RELEASE, BY_DEFAULT, PEER, SERVICE, SERVICE_HOT};
use crate::figures::Spread;
use crate::options::StoreKind::{self, Postgres, Sqlite};
use crate::postgres::PGBENCH_READ;
use crate::target::{Bound, Target, Unit};

/// What somebody's figures have to be, as a part of another's.
struct Wanted {
    stores: &'static [StoreKind],
    comparison: &'static str,
    of: &'static str,
    to: &'static str,
    /// At least so much of its requests a second.
    rate: f64,
    /// At most so many times its 99th percentile, where that counts.
    p99: Option<f64>,
}

const WANTED: [Wanted; 5] = [
    Wanted {
        stores: &[Sqlite, Postgres],
        comparison: BY_DEFAULT,
        of: SERVICE_HOT,
        to: PEER,
        rate: 0.45,
        p99: Some(3.0),
    },
    Wanted {
        stores: &[Postgres],
        comparison: BY_DEFAULT,
        of: SERVICE,
        to: PGBENCH_READ,
        rate: 0.9,
        p99: Some(2.0),
    },
    Wanted { stores: &[Sqlite], comparison: BY_DEFAULT, of: SERVICE, to: PEER, rate: 0.25, p99: None },
    Wanted { stores: &[Sqlite], comparison: BEFORE_RELEASE, of: SERVICE, to: PEER, rate: 0.25, p99: None },
    Wanted {
        stores: &[Postgres],
        comparison: BEFORE_RELEASE,
        of: SERVICE_HOT,
        to: PEER,
        rate: 0.25,
        p99: None,
    },
];

/// The most memory under load, in millions of bytes.
const MEMORY: f64 = 100.0;

/// Every target that is about this store.
pub(super) fn targets(store: StoreKind, comparisons: &[Comparison]) -> Vec<Target> {
    let wanted = WANTED.iter().filter(|wanted| wanted.stores.contains(&store));
    let ratios = wanted.flat_map(|wanted| wanted.judge(comparisons));
    ratios.chain(comparisons.iter().map(memory)).collect()
}

impl Wanted {
    fn judge(&self, comparisons: &[Comparison]) -> Vec<Target> {
        let comparison = comparisons.iter().find(|comparison| comparison.name == self.comparison);
        let ratio = comparison.and_then(|comparison| comparison.ratio(self.of, self.to));
        let judged = |figure: &str, value: Option<Spread>, bound| {
            let mode = if self.comparison == BEFORE_RELEASE { ", recorded before release" } else { "" };
            let what = format!("{} : {}{mode}, {figure}", label(self.of), label(self.to));
            Target::judged(what, Unit::Ratio, value, bound)
        };
        let rate = judged("req/s", ratio.map(|ratio| ratio.requests_per_second), Bound::AtLeast(self.rate));
        let p99 = self.p99.map(|most| judged("p99", ratio.map(|ratio| ratio.p99), Bound::AtMost(most)));
        [rate].into_iter().chain(p99).collect()
    }
}

fn memory(comparison: &Comparison) -> Target {
    let what = format!("memory at its highest, {} connections", comparison.connections);
    let service = comparison.figures.iter().find(|figures| figures.contender == SERVICE);
    #[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 bytes of memory")]
    let peak = service.and_then(|figures| figures.peak_memory_bytes).map(|bytes| bytes as f64 / 1e6);
    Target::judged(what, Unit::Megabytes, peak.map(Spread::single), Bound::AtMost(MEMORY))
}
