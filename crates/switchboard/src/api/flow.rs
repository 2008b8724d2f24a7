//! What flows on behind the head of an answer, for as long as both ends like.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use bytes::Bytes;
use switchboard_gateway::serve::{http, sse};

use super::Reply;
use super::events::Follower;
use super::reply::events;
use super::watch::Passing;

/// A stream of events to one other end.
pub(super) enum Flow {
    /// Every revision.
    Revisions(Follower),
    /// What a server or we have to say to a client of MCP, over Streamable HTTP.
    Messages(http::Events),
    /// The same over the transport of 2024.
    Talk(sse::Talk),
    /// Messages as they pass, for those who debug.
    Passing(Passing),
}

/// The flow behind an answer. A door takes it out and sends the events itself, for what a connection holds to speak HTTP
/// is many times what a flow needs; where nobody does, the answer's body is the stream.
#[derive(Clone)]
pub(super) struct Handover(Arc<Mutex<Option<Flow>>>);

/// Where the bytes of a flow come from.
pub(super) trait Source: Send {
    /// Returns the next bytes to send; `None` when the stream is to end. What has begun may be dropped: nothing is lost by
    /// that.
    fn next(&mut self) -> impl Future<Output = Option<Bytes>> + Send;
}

impl Source for http::Events {
    async fn next(&mut self) -> Option<Bytes> {
        Self::next(self).await
    }
}

impl Source for sse::Talk {
    async fn next(&mut self) -> Option<Bytes> {
        Self::next(self).await
    }
}

impl Source for Flow {
    async fn next(&mut self) -> Option<Bytes> {
        match self {
            Self::Revisions(follower) => follower.next().await,
            Self::Messages(events) => events.next().await,
            Self::Talk(talk) => talk.next().await,
            Self::Passing(passing) => passing.next().await,
        }
    }
}

impl Flow {
    /// Returns the answer behind whose head it flows.
    pub(super) fn reply(self) -> Reply {
        let handover = Handover(Arc::new(Mutex::new(Some(self))));
        let chunks = futures_util::stream::unfold(handover.clone(), |handover| async move {
            let mut flow = handover.take()?;
            let bytes = flow.next().await?;
            handover.put_back(flow);
            Some((Ok::<_, Infallible>(bytes), handover))
        });
        let mut reply = events(Body::from_stream(chunks));
        reply.extensions_mut().insert(handover);
        reply
    }
}

impl Handover {
    /// Takes the flow out.
    pub(super) fn take(&self) -> Option<Flow> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put_back(&self, flow: Flow) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(flow);
    }
}
