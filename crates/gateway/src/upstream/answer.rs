//! What servers answer to us.

use serde_json::value::RawValue;

use crate::envelope::Envelope;
use crate::trouble::Trouble;

/// What a server answered to a question of ours, as it stands.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Result(Box<RawValue>),
    Error { code: i64, message: String, whole: Box<RawValue> },
}

impl Answer {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Trouble> {
        #[derive(serde::Deserialize)]
        struct Error {
            #[serde(default)]
            code: i64,
            #[serde(default)]
            message: String,
        }
        let none = || Trouble::Answer("something that is no answer".to_owned());
        let envelope = Envelope::read(bytes).map_err(|_| none())?;
        match (envelope.result, envelope.error) {
            (Some(result), _) => Ok(Self::Result(result.to_owned())),
            (None, Some(error)) => {
                let said: Error = serde_json::from_str(error.get())
                    .unwrap_or(Error { code: 0, message: "an error without a message".to_owned() });
                Ok(Self::Error { code: said.code, message: said.message, whole: error.to_owned() })
            }
            (None, None) => Err(none()),
        }
    }
}
