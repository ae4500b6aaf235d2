//! Waiting for the command, for the clock, and for the user.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, Result};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::{
    inject::{counting::Counting, tracer::Tracer},
    signals::{ENDING, Signals},
};
use crate::{
    document::run::ChildUsage,
    sys::{Ended, process_of, try_wait},
};

/// How long followed processes may take to end once the command is gone or has
/// been told to go. The help of `--duration` names it.
const GRACE: Duration = Duration::from_secs(5);
/// How often the phase is looked at, which is also how exact phase times are
/// for programs that do not keep them themselves.
const SAMPLING: Duration = Duration::from_millis(50);

/// Why the measurement ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The command ended by itself.
    TargetEnded,
    /// The time given with `--duration` was over.
    Duration,
    /// The profiler was told to end.
    Signal(Signal),
}

/// How the measurement ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Why.
    pub reason: Reason,
    /// How the command ended and what it used, if it was ours and has ended.
    pub ended: Option<(Ended, ChildUsage)>,
    /// Processes of the command that were still running, and left alone.
    pub left_running: usize,
}

/// What the supervisor needs to know of the target while it waits.
pub trait Watched: Counting {
    /// Numbers of the threads still followed.
    fn alive(&mut self) -> Vec<u32>;
    /// Looks at the phase now, and whatever else is looked at now and then.
    fn look(&mut self);
    /// Closes the window. What comes later is not counted.
    ///
    /// # Errors
    /// If the programs cannot be told.
    fn close(&mut self) -> Result<()>;
    /// When the counts are to be read next, if that was asked for.
    fn reading_due(&self) -> Option<Instant> {
        None
    }
    /// Reads the counts while they grow.
    fn read_counts(&mut self) {}
}

/// Waits until a launched command has ended.
///
/// The first ending signal is passed on to everything followed; the second one
/// kills it. At the end of its `duration` the window closes; a command that still
/// runs is then told to end, and killed if it does not.
///
/// # Errors
/// If waiting itself fails.
pub async fn command(
    pid: Pid,
    tracer: &mut Option<Tracer>,
    duration: Option<Duration>,
    signals: &mut Signals,
    watched: &mut impl Watched,
) -> Result<Outcome> {
    let mut reason = Reason::TargetEnded;
    let mut is_over = false;
    let mut deadline = duration.map(|limit| Instant::now() + limit);
    let mut ticks = interval(SAMPLING);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ended = loop {
        // Also at first: whoever released the command may have heard the signal.
        let news = match tracer {
            Some(tracer) => tracer.events(watched),
            None => try_wait(pid).map_err(anyhow::Error::from),
        };
        if let Some(ended) = news.context("cannot wait for the command")? {
            break ended;
        }
        tokio::select! {
            arrived = signals.next() => {
                let arrived = arrived?;
                if ENDING.contains(&arrived.signal) {
                    let again = matches!(reason, Reason::Signal(_));
                    reason = Reason::Signal(arrived.signal);
                    if again {
                        send_all(pid, watched, Signal::SIGKILL);
                    } else if !arrived.from_terminal {
                        send_all(pid, watched, arrived.signal);
                    }
                }
            }
            () = until(deadline) => {
                watched.close()?;
                if reason == Reason::TargetEnded {
                    reason = Reason::Duration;
                }
                send_all(pid, watched, if is_over { Signal::SIGKILL } else { Signal::SIGTERM });
                is_over = true;
                deadline = Some(Instant::now() + GRACE);
            }
            _ = ticks.tick() => watched.look(),
            () = until(watched.reading_due()) => watched.read_counts(),
        }
    };
    watched.look();
    // What ended the command may have been meant for both of us.
    if let Some(signal) = signals.ending()?.filter(|_| reason == Reason::TargetEnded) {
        reason = Reason::Signal(signal);
    }
    let left_running = if reason == Reason::TargetEnded {
        running(watched).len()
    } else {
        end_the_rest(pid, tracer, signals, watched).await?;
        0
    };
    Ok(Outcome {
        reason,
        ended: Some(ended),
        left_running,
    })
}

/// Waits until a running target is gone, the time is over, or the user has
/// had enough. The target is left alone.
///
/// # Errors
/// If waiting itself fails.
pub async fn attached(
    duration: Option<Duration>,
    signals: &mut Signals,
    watched: &mut impl Watched,
    ends_with_target: bool,
) -> Result<Outcome> {
    let deadline = duration.map(|limit| Instant::now() + limit);
    let mut ticks = interval(SAMPLING);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let reason = loop {
        tokio::select! {
            arrived = signals.next() => {
                let arrived = arrived?;
                if ENDING.contains(&arrived.signal) {
                    break Reason::Signal(arrived.signal);
                }
            }
            () = until(deadline) => break Reason::Duration,
            () = until(watched.reading_due()) => watched.read_counts(),
            _ = ticks.tick() => {
                watched.look();
                if ends_with_target && watched.alive().is_empty() {
                    break Reason::TargetEnded;
                }
            }
        }
    };
    Ok(Outcome {
        reason,
        ended: None,
        left_running: 0,
    })
}

/// Waits for a moment, or for ever where there is none.
async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// The processes that the command has created and that have not ended.
fn running(watched: &mut impl Watched) -> BTreeSet<u32> {
    let threads = watched.alive();
    threads.into_iter().filter_map(process_of).collect()
}

/// Sends a signal to the command and to all that it has created.
fn send_all(pid: Pid, watched: &mut impl Watched, signal: Signal) {
    let mut processes = running(watched);
    processes.extend(process_of(pid.as_raw().unsigned_abs()));
    for process in processes {
        let process = process.cast_signed();
        if let Err(error) = kill(Pid::from_raw(process), signal) {
            log::debug!("cannot send {signal} to process {process}: {error}");
        }
    }
}

/// After an ordered end: nothing that the command created is left behind. Another
/// signal ends the patience.
///
/// Those that are traced stop for each signal that they are sent, and go on only if
/// somebody hears of it.
async fn end_the_rest(
    pid: Pid,
    tracer: &mut Option<Tracer>,
    signals: &mut Signals,
    watched: &mut impl Watched,
) -> Result<()> {
    let deadline = Instant::now() + GRACE;
    while !watched.alive().is_empty() && Instant::now() < deadline && signals.ending()?.is_none() {
        if let Some(tracer) = tracer
            && let Err(error) = tracer.events(watched)
        {
            log::debug!("cannot wait for what the command has created: {error:#}");
        }
        tokio::time::sleep(SAMPLING).await;
    }
    if !watched.alive().is_empty() {
        send_all(pid, watched, Signal::SIGKILL);
    }
    Ok(())
}
