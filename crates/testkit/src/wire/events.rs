//! Server-sent events: only their data.

/// What is read of a stream of events, however it is cut into packets.
#[derive(Debug, Default)]
pub struct Events {
    /// What has come and was not taken.
    pub pending: Vec<u8>,
}

/// Each item is the data of an event that has any. There may be another one once more has come.
impl Iterator for Events {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut data: Option<Vec<u8>> = None;
        let mut from = 0;
        loop {
            let end = from + memchr::memchr(b'\n', &self.pending[from..])?;
            let line = &self.pending[from..end];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            from = end + 1;
            if line.is_empty() {
                self.pending.drain(..from);
                if data.is_some() {
                    return data;
                }
                from = 0;
            } else if let Some(value) = line.strip_prefix(b"data:") {
                let value = value.strip_prefix(b" ").unwrap_or(value);
                if let Some(data) = &mut data {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                } else if !value.is_empty() {
                    data = Some(value.to_vec());
                }
            }
        }
    }
}
