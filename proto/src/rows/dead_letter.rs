//! One row a call that was not assessed.

use super::result::ONLY;
use super::{Ids, SCHEMA_VERSION};
use crate::ending::Closed;
use crate::{Topic, wire::DeadLetterRow};

pub(crate) fn dead_letter(closed: &Closed<'_>, ids: &Ids) -> DeadLetterRow {
    let name = closed.subject.name();
    DeadLetterRow {
        schema_version: SCHEMA_VERSION,
        ending_id: ids.ending_id.clone(),
        result_id: ids.result_id.clone(),
        row_id: ids.row(Topic::DeadLetters, ONLY),
        revision: name.as_ref().map(|name| name.revision),
        call_id: name.as_ref().map(|name| name.call_id.clone()),
        tenant: name.map(|name| name.tenant),
        ending: closed.kind.ending().to_owned(),
        reason: closed.kind.reason().to_owned(),
        detail: closed.kind.detail(),
        event_digest: closed.provenance.event_digest.clone(),
        build: closed.provenance.build.clone(),
    }
}
