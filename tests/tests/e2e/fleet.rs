//! Several processes behind nginx, as `deploy/` has it. `make fleet` does more of the same, for longer.

use std::time::Duration;

use connect_tests::fleet::{Plan, run};

/// As an upgrade does: each process ends (SIGTERM) and starts again, while its neighbours serve.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_through_nginx_fails_in_a_rolling_upgrade() {
    let second = Duration::from_secs(1);
    let plan = Plan {
        in_flight: 16,
        expiring: 8,
        warm_up: second / 10,
        steady: second,
        kills: Duration::ZERO,
        around: second / 2,
        drain: second,
        rotates_root_key: false,
        ..Plan::new(second, vec![2], vec![4])
    };
    let report = run(&plan, |_| {}).await.unwrap();
    assert!(report.all_kept(), "{report}");
}
