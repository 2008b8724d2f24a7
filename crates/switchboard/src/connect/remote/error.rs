//! Why a remote server cannot be spoken with at all.

/// Why a remote server cannot be spoken with at all; what goes wrong with one call is said to its caller instead.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The address is not one.
    #[error("its `url` is not a web address that begins with `http://` or `https://`")]
    Url,
    /// A header cannot be sent.
    #[error("the header `{0}` cannot be sent: its name or value has characters that HTTP does not allow")]
    Header(String),
    /// There is no HTTP client.
    #[error("could not prepare HTTP: {0}")]
    Client(#[source] reqwest::Error),
    /// The stream of events could not be opened, or broke.
    #[error("{sentence}")]
    Stream {
        /// What happened.
        sentence: String,
        /// What to do about it.
        hint: String,
    },
}

impl RemoteError {
    /// Returns what a person can do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Url => Some("correct the server's `url` in the catalogue".to_owned()),
            Self::Header(name) => {
                Some(format!("correct `headers.{name}`; a value is one line of plain text"))
            }
            Self::Client(_) => None,
            Self::Stream { hint, .. } => Some(hint.clone()),
        }
    }
}
