//! What Switchboard does to the machine: files, backups, locks, children, secrets.
