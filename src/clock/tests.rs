//! The clocks that do not follow the machine's.

use super::{Clock, Elapsed};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
}

#[tokio::test]
async fn days_pass_at_once_and_in_order() {
    let clock = Clock::simulated(at(0));
    let (late, early) = (clock.clone(), clock.clone());
    let late = tokio::spawn(async move {
        late.sleep_until(at(86_400 * 5)).await;
        late.now()
    });
    let early = tokio::spawn(async move {
        early.sleep_until(at(60)).await;
        early.now()
    });
    let (late, early) = (late.await.unwrap(), early.await.unwrap());
    assert!(early >= at(60));
    assert_eq!(late, at(86_400 * 5));
}

#[tokio::test]
async fn it_stands_still_while_somebody_works() {
    let clock = Clock::simulated(at(0));
    let hold = clock.hold();
    let sleeper = clock.clone();
    let task = tokio::spawn(async move { sleeper.sleep_until(at(10)).await });
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    assert_eq!(clock.now(), at(0));
    drop(hold);
    task.await.unwrap();
    assert_eq!(clock.now(), at(10));
}

#[tokio::test]
async fn a_driven_clock_moves_when_it_is_told_to_and_deadlines_go_by_it() {
    let clock = Clock::driven(at(0), 7);
    let (sleeper, server) = (clock.clone(), clock.clone());
    let asleep = tokio::spawn(async move { sleeper.sleep_until(at(86_400)).await });
    let hung = tokio::spawn(async move {
        let never = std::future::pending::<()>();
        server.within(Duration::from_mins(10), never).await
    });
    let watch = clock.stopwatch();
    tokio::task::yield_now().await;
    assert_eq!(clock.now(), at(0), "nobody moved it");
    assert!(clock.advance());
    assert_eq!(clock.now(), at(600));
    assert_eq!(hung.await.unwrap(), Err(Elapsed(Duration::from_mins(10))));
    assert_eq!(watch.elapsed(), Duration::from_mins(10));
    assert!(clock.advance());
    asleep.await.unwrap();
    assert!(!clock.advance(), "nobody waits");
    assert_eq!(clock.now(), at(86_400));
    assert!(!Clock::simulated(at(0)).advance(), "only a driven one");
}

#[tokio::test]
async fn who_waits_goes_by_the_calendar_as_it_is_set_and_a_server_does_not() {
    let clock = Clock::simulated(at(0));
    let before = clock.reading();
    clock.set_by(SignedDuration::from_secs(3600));
    assert_eq!((clock.now(), clock.unset().now()), (at(3600), at(0)));
    assert!(!clock.reading().agrees_with(&before));
    assert_eq!(
        clock.reading().steadily_since(&before),
        Some(SignedDuration::ZERO)
    );
    clock.sleep_until(at(1800)).await;
    clock.sleep_until_or_set(at(9000), &before).await;
    assert_eq!(clock.unset().now(), at(0), "nothing to wait for");
    clock.sleep_until(at(3660)).await;
    assert_eq!(clock.unset().now(), at(60));
    let hold = clock.hold();
    let sleeper = clock.clone();
    let task = tokio::spawn(async move { sleeper.sleep_until(at(3670)).await });
    tokio::task::yield_now().await;
    clock.set_by(SignedDuration::from_secs(-3600));
    drop(hold);
    task.await.unwrap();
    assert_eq!(clock.unset().now(), at(3670));
}
