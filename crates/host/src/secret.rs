//! Values that must not be shown, and where they are kept.

use std::fmt;

use zeroize::Zeroizing;

mod store;

pub use store::{FileSecrets, SecretStoreError, Secrets};

/// A text that may be a secret: it is never shown by `Debug` or `Display`, and its memory is cleared when it goes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Returns the text itself. Whoever calls this answers for where it goes.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Adds `text` at the end.
    pub(crate) fn push(&mut self, text: &str) {
        // Growing a string leaves its old bytes behind in freed memory, so it moves into a fresh one that is cleared.
        let mut longer = Zeroizing::new(String::with_capacity(self.0.len() + text.len()));
        longer.push_str(&self.0);
        longer.push_str(text);
        self.0 = longer;
    }
}

impl<T: Into<String>> From<T> for Secret {
    fn from(text: T) -> Self {
        Self(Zeroizing::new(text.into()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn a_secret_is_not_shown() {
        let mut secret = Secret::from("hunter");
        secret.push("2");
        assert_eq!(secret.expose(), "hunter2");
        assert_eq!(format!("{secret} {secret:?} {:?}", Some(&secret)), "[secret] [secret] Some([secret])");
    }
}
