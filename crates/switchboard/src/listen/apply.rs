//! The newest revision, brought to its target: one at a time, and tried again.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::sleep;

use super::delay::delay;
use super::news::News;
use super::seen::{Position, Seen};
use super::target::{Setback, Target};
use crate::fail::Failure;

/// Applies whatever is newest, until something happens that ends everything.
pub(super) async fn apply(
    mut newest: watch::Receiver<Option<Arc<News>>>,
    target: &mut Target,
    position: &Position,
    seed: u64,
    tell: &dyn Fn(&str),
) -> Failure {
    loop {
        if newest.changed().await.is_err() {
            return Failure::failed("go on following");
        }
        let mut attempt = 0;
        let mut told = None;
        loop {
            let Some(news) = newest.borrow_and_update().clone() else { break };
            match one(&news, target, position).await {
                Ok(_) => break,
                Err(Setback::Never(failure)) => return failure,
                Err(Setback::Later(trouble)) => {
                    // The same setback is told once, however often it happens.
                    if told.as_ref() != Some(&trouble) {
                        tell(&format!("revision {}: {}", news.number, trouble.why));
                        if let Some(hint) = &trouble.hint {
                            tell(&format!("hint: {hint}"));
                        }
                        told = Some(trouble);
                    }
                }
            }
            attempt += 1;
            if target.tries().is_some_and(|tries| attempt >= tries) {
                tell(&format!(
                    "revision {}: given up after {attempt} tries, until the next one",
                    news.number
                ));
                break;
            }
            tokio::select! {
                () = sleep(delay(attempt, seed)) => {}
                changed = newest.changed() => {
                    if changed.is_err() {
                        return Failure::failed("go on following");
                    }
                    (attempt, told) = (0, None);
                }
            }
        }
    }
}

/// Applies one revision, keeps how far we are once it is settled, and returns whether it is.
pub(super) async fn one(news: &News, target: &mut Target, position: &Position) -> Result<bool, Setback> {
    let settled = target.apply(news).await?;
    if settled {
        position.save(&Seen::of(news)).map_err(Setback::Never)?;
    }
    Ok(settled)
}
