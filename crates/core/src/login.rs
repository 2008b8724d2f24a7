//! What can be decided about logins at remote servers without asking anybody: what a refusal says, how long a token is
//! good for, which scopes to ask for.

pub mod challenge;
pub mod lifetime;
pub mod scopes;
