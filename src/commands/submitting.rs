//! Submissions that several people sign: who still must, and what is done when all have.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::context::Context;
use super::error::CommandError;
use super::publishing::{self, Destination};
use super::sign::Signed;
use crate::formats::submission::Submission;
use crate::model::{PackageName, PublisherId};
use crate::publish::apply::{self, Applied};
use crate::publish::bundle;
use crate::trust::Signing;

/// What became of what was signed.
pub enum HandedIn {
    /// It is part of the registry.
    Applied(Applied),
    /// Others must sign it first.
    Written,
}

impl Destination {
    /// Says of each statement of a submission who signed it and who still must; of one that is part of
    /// the registry already, nothing.
    pub fn signing(
        &self,
        context: &Context,
        submission: &Submission,
    ) -> Result<Vec<Signing>, CommandError> {
        let intake = publishing::intake(vec![(submission.clone(), Vec::new())]);
        let signing = apply::signing(self.open()?, intake, context.now)?;
        Ok(signing.into_iter().flat_map(|(_, all)| all).collect())
    }

    /// Adds what was signed to the registry; or, where others must sign a part of it, writes all of it
    /// for them.
    pub fn hand_in(
        &self,
        context: &Context,
        signed: Vec<Signed>,
        output: &Path,
    ) -> Result<HandedIn, CommandError> {
        let mut is_complete = true;
        for (submission, _) in &signed {
            let signing = self.signing(context, submission)?;
            is_complete &= signing.iter().all(Signing::is_complete);
        }
        if is_complete {
            let applied = self.apply(context, publishing::intake(signed))?;
            publishing::finished(&applied, context);
            return Ok(HandedIn::Applied(applied));
        }
        for (submission, archives) in &signed {
            self.write(context, submission, archives, output)?;
        }
        Ok(HandedIn::Written)
    }

    /// Writes a submission, and says who must sign it before it can be taken in.
    pub fn write(
        &self,
        context: &Context,
        submission: &Submission,
        archives: &[Vec<u8>],
        output: &Path,
    ) -> Result<(), CommandError> {
        let bundle = output.join(format!("{}.submission", submission.package));
        bundle::write(&bundle, submission, archives)?;
        self.tell(context, submission, &bundle)
    }

    /// Says where a submission lies, and who must sign it before it can be taken in.
    pub fn tell(
        &self,
        context: &Context,
        submission: &Submission,
        bundle: &Path,
    ) -> Result<(), CommandError> {
        let left = still_to_sign(&self.signing(context, submission)?);
        let shell = &context.shell;
        if shell.is_json() {
            let package = submission.package.as_str();
            let body = json!({"package": package, "path": bundle, "still_to_sign": left});
            shell.message("submission", body);
        } else {
            shell.line(&bundle.display().to_string());
        }
        if !left.is_empty() {
            let left = left.join(", ");
            shell.note(&format!("still to sign: {left} (`cargo marketplace sign`)"));
        }
        Ok(())
    }

    /// Refuses a submission that others must sign first.
    pub fn check_complete(
        &self,
        package: &PackageName,
        signing: &[Signing],
        bundle: &Path,
    ) -> Result<(), CommandError> {
        let left = still_to_sign(signing);
        if left.is_empty() {
            return Ok(());
        }
        let text = format!("signatures are missing on the submission of `{package}`");
        let (bundle, registry) = (bundle.display(), self.path.display());
        let help = format!(
            "`cargo marketplace sign {bundle} --registry-dir {registry} --key NAME` adds one"
        );
        Err(CommandError::failure(text)
            .with_code("MP0610")
            .with_note(format!(
                "still to sign: {}; nothing was written",
                left.join(", ")
            ))
            .with_help(help))
    }
}

/// Those who must still sign, in words.
fn still_to_sign(signing: &[Signing]) -> Vec<String> {
    let quoted = |id: &PublisherId| format!("`{id}`");
    let mut left = BTreeSet::new();
    for one in signing {
        left.extend(one.each_left.iter().map(quoted));
        let (found, needed) = one.count;
        // Those who must sign anyway are counted among the owners, too.
        let counted = one.owners_left.intersection(&one.each_left).count();
        let missing = needed.saturating_sub(found + counted);
        let others: Vec<String> = one
            .owners_left
            .difference(&one.each_left)
            .map(quoted)
            .collect();
        if missing == 0 {
            continue;
        }
        if one.owners_left.is_empty() {
            left.insert("the registry's operator".to_owned());
        } else if others.len() == missing {
            left.extend(others);
        } else {
            left.insert(format!("{missing} of {}", others.join(", ")));
        }
    }
    left.into_iter().collect()
}

/// The folder that a user named for what is written; without one, the working folder.
#[must_use]
pub fn output_folder(context: &Context, named: Option<&PathBuf>) -> PathBuf {
    named.map_or_else(|| context.cwd.clone(), |path| context.absolute(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(names: &[&str]) -> BTreeSet<PublisherId> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn those_who_must_sign_are_told_from_those_who_could() {
        let signing = |count, owners: &[&str], each: &[&str]| Signing {
            may_sign: BTreeSet::new(),
            count,
            owners_left: ids(owners),
            each_left: ids(each),
        };
        for (signing, expected) in [
            (signing((1, 1), &[], &[]), vec![]),
            (signing((1, 2), &["bob"], &[]), vec!["`bob`"]),
            (
                signing((1, 2), &["bob", "carol"], &[]),
                vec!["1 of `bob`, `carol`"],
            ),
            (signing((1, 2), &["bob", "carol"], &["bob"]), vec!["`bob`"]),
            (signing((1, 1), &[], &["dora"]), vec!["`dora`"]),
            (
                signing((0, 1), &[], &["dora"]),
                vec!["`dora`", "the registry's operator"],
            ),
        ] {
            assert_eq!(still_to_sign(&[signing]), expected);
        }
    }
}
