//! Policies as queries: `audit --policy`, the prepared ones, and `sparql --with-lock`, by which they are written.

use crate::audit::{PACKAGES, lock_file, project};
use crate::env::{Outcome, TestEnv};

fn audit(env: &TestEnv, more: &[&str]) -> Outcome {
    env.command(["audit"].iter().chain(more)).run()
}

#[test]
fn try_it() {
    let env = project(&lock_file(PACKAGES));
    for line in [
        "audit --policy-example no-copyleft",
        "audit --policy-example nothing-unsigned",
        "audit --policy-example nothing-younger-than-a-week",
        "audit --policy-example only-known-owners --param owners=harbour",
        "audit --policy-example msrv --message-format json",
        "sparql --example newest --param keyword=tides",
    ] {
        println!("{line}\n{}", env.command(line.split(' ')).run());
    }
    env.write("work/lock.rq", "SELECT ?s ?p ?o { { ?s a <https://w3id.org/cargo-marketplace/ns#Locked> } UNION { ?s a <https://w3id.org/cargo-marketplace/ns#LockFile> } ?s ?p ?o } ORDER BY ?s ?p");
    println!("{}", env.command(["sparql", "--with-lock", "-f", "lock.rq"]).run());
    println!("{}", env.command(["sparql", "SELECT DISTINCT ?n ?v ?r ?i ?t ?u { ?s <http://usefulinc.com/ns/doap#revision> ?v; <https://w3id.org/cargo-marketplace/ns#package>/<https://schema.org/name> ?n OPTIONAL {?s <https://w3id.org/cargo-marketplace/ns#rustVersion> ?r} OPTIONAL {?s <http://purl.org/dc/terms/issued> ?i} OPTIONAL {?s <https://w3id.org/cargo-marketplace/ns#trust> ?t} OPTIONAL {?s <https://w3id.org/cargo-marketplace/ns#publisher> ?u} }"]).run());
    panic!();
}
