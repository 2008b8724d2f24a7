//! A place on a bus.

use std::fmt;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use zbus::fdo::{self, DBusProxy, RequestNameFlags, RequestNameReply};
use zbus::names::BusName;
use zbus::{MessageStream, connection};

use super::desk::Desk;
use super::error::PATIENCE;
use super::service::{Announcement, Service};
use super::{Asks, BusError, Interface, Kind, Options, Owner};

/// So many announcements wait for the bus; who announces more waits, too.
const WAITING: usize = 16;

/// A place on a bus, under our name. It ends with this value.
pub struct Bus {
    kind: Kind,
    announcements: mpsc::Sender<Announcement>,
    /// Never written: it closes when the service ends.
    service: watch::Receiver<()>,
    /// The service, aborted when this value is dropped.
    _task: JoinSet<()>,
}

impl Bus {
    /// Takes our place on the bus; `version` is the property until something is announced.
    ///
    /// Call this within a tokio runtime that has its timers and I/O enabled. All work is done by tasks of that runtime.
    ///
    /// # Errors
    ///
    /// There is no bus, it does not let us in, it does not answer within two seconds, or our name is somebody else's.
    pub async fn connect(options: &Options, version: &str, asks: Arc<dyn Asks>) -> Result<Self, BusError> {
        let bus = options.bus;
        if version.contains('\0') {
            return Err(BusError::ZeroByte);
        }
        match timeout(PATIENCE, Self::enter(options, version, asks)).await {
            Ok(entered) => entered,
            Err(_) => Err(BusError::Slow { bus }),
        }
    }

    async fn enter(options: &Options, version: &str, asks: Arc<dyn Asks>) -> Result<Self, BusError> {
        let kind = options.bus;
        let unreachable = |error: zbus::Error| BusError::Unreachable { bus: kind, source: error.into() };
        let builder = match (&options.address, kind) {
            (Some(address), _) => connection::Builder::address(address.as_str()),
            (None, Kind::Session) => connection::Builder::session(),
            (None, Kind::System) => connection::Builder::system(),
        };
        let connection = builder.method_timeout(PATIENCE).build().await.map_err(unreachable)?;
        let bus = DBusProxy::new(&connection).await.map_err(unreachable)?;

        let (announcements, waiting) = mpsc::channel(WAITING);
        let (alive, service) = watch::channel(());
        let mut task = JoinSet::new();
        let messages = MessageStream::from(&connection);
        let served = Service {
            connection,
            interface: options.interface.clone(),
            version: version.to_owned(),
            desk: Arc::new(Desk::new(asks, bus.clone())),
        };
        task.spawn(async move {
            let _alive = alive;
            served.run(messages, waiting).await;
        });
        // Only now that calls are answered can we be found.
        own(&bus, kind, &options.interface).await?;
        Ok(Self { kind, announcements, service, _task: task })
    }

    /// Sends the signal, and keeps `version` as the property. What was announced first arrives first.
    ///
    /// # Errors
    ///
    /// The bus has gone, or `version` has a zero byte.
    pub async fn announce(&self, version: &str) -> Result<(), BusError> {
        if version.contains('\0') {
            return Err(BusError::ZeroByte);
        }
        let gone = || BusError::Gone { bus: self.kind };
        let (sent, is_sent) = oneshot::channel();
        let announcement = Announcement { version: version.to_owned(), sent };
        self.announcements.send(announcement).await.map_err(|_| gone())?;
        is_sent.await.map_err(|_| gone())
    }

    /// Waits until the bus goes away, which may be for ever.
    pub async fn closed(&self) {
        let mut service = self.service.clone();
        while service.changed().await.is_ok() {}
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Makes the name ours, or says whose it is. We neither wait in line for it nor take it from anybody.
async fn own(bus: &DBusProxy<'static>, kind: Kind, name: &Interface) -> Result<(), BusError> {
    let unreachable = |source| BusError::Unreachable { bus: kind, source };
    let requested = zbus::names::WellKnownName::try_from(name.as_str());
    let requested = requested.map_err(|error| unreachable(error.into()))?;
    match bus.request_name(requested, RequestNameFlags::DO_NOT_QUEUE).await {
        Ok(RequestNameReply::PrimaryOwner | RequestNameReply::AlreadyOwner) => Ok(()),
        Ok(RequestNameReply::Exists | RequestNameReply::InQueue) => {
            Err(BusError::Taken { name: name.clone(), owner: owner(bus, name).await })
        }
        Err(fdo::Error::AccessDenied(_)) => Err(BusError::NotAllowed { bus: kind, name: name.clone() }),
        Err(error) => Err(unreachable(error.into())),
    }
}

async fn owner(bus: &DBusProxy<'static>, name: &Interface) -> Option<Owner> {
    let owner = bus.get_name_owner(BusName::try_from(name.as_str()).ok()?).await.ok()?;
    let pid = bus.get_connection_unix_process_id(owner.inner().clone().into()).await.ok();
    Some(Owner { connection: owner.to_string(), pid })
}
