//! Queries, up to the parser: what is let through must be parsed without using up the stack.

use cargo_marketplace::dataset::{Query, STACK_SIZE};
use oxigraph::sparql::CancellationToken;

/// The parser may try both ways at each bracket, which the watch over the process ends: here there are
/// only as many as end by themselves.
const BRACKETS: usize = 8;

/// Bytes of a query; the length has a limit of its own.
const LENGTH: usize = 2000;

/// Bytes as a query.
pub(crate) fn sparql(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if text.len() > LENGTH || text.matches(['(', '{', '[']).count() > BRACKETS {
        return;
    }
    std::thread::scope(|scope| {
        let parse = || drop(Query::parse(text, CancellationToken::new()));
        let worker = std::thread::Builder::new().stack_size(STACK_SIZE);
        let worker = worker.spawn_scoped(scope, parse).expect("there is memory");
        worker.join().expect("it ends by itself");
    });
}
