//! Every scalar of every window is in exactly one task.

use super::{ClassCounts, Plan, WINDOWS_MAX, Windows, window_bits_max};

#[test]
fn the_tasks_cover_every_window_once() {
    for n in [0, 1, 2, 31, 1000, 8192, 1 << 20] {
        for threads in [1, 2, 3, 16, 64] {
            let counts = ClassCounts::full(n);
            let plan = Plan::new(&counts, threads, window_bits_max(n, threads));
            let mut covered = vec![0; plan.windows.count()];
            for index in 0..plan.task_count() {
                let task = plan.task(index).unwrap();
                assert_eq!(task.run.start, covered[task.window], "{n} {threads}");
                covered[task.window] = task.run.end;
            }
            assert_eq!(plan.task(plan.task_count()), None);
            assert!(covered.iter().all(|&end| end == n), "{n} {threads}");
        }
    }
}

#[test]
fn more_points_get_wider_windows_and_more_threads_more_tasks() {
    let widths = [10, 1000, 1 << 13, 1 << 20].map(|n| window_bits_max(n, 2));
    let tasks = |threads| Plan::new(&ClassCounts::full(1 << 16), threads, 16).task_count();

    assert!(widths.is_sorted_by(|a, b| a < b), "{widths:?}");
    assert!(tasks(64) > tasks(2));
}

#[test]
fn absurd_numbers_of_points_and_threads_have_a_plan() {
    for n in [0, usize::MAX] {
        for threads in [0, usize::MAX] {
            assert!(window_bits_max(n, threads) >= Windows::BITS_MIN, "{n} {threads}");
        }
    }
}

#[test]
fn the_narrowest_windows_are_the_most() {
    assert_eq!(Windows::new(Windows::BITS_MIN).count(), WINDOWS_MAX);
}
