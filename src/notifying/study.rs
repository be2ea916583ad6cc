//! Messages about a study that closed.

use daemon::{NotifyEvent, NotifySettings};
use domain::StudyAttributes;
use jiff::Timestamp;
use protocol::{Completeness, ItemState, Verdict};
use store::{FileState, Inventory};

use super::Message;

/// Accession Number.
const ACCESSION_NUMBER: (u16, u16) = (0x0008, 0x0050);

/// Returns what is to be told of a study.
pub fn of_study(
    settings: &NotifySettings,
    inventory: &Inventory,
    completeness: &Completeness,
    attributes: Option<&StudyAttributes>,
    now: Timestamp,
) -> Vec<Message> {
    let (study, number) = (&inventory.study_instance_uid, inventory.number);
    let mut messages = Vec::new();
    if completeness.verdict == Verdict::Lacks {
        let lacks = completeness.required(ItemState::Missing).join(", ");
        let protocol = &completeness.protocol;
        messages.push(Message::new(
            NotifyEvent::StudyIncomplete,
            format!("study_incomplete {study} {protocol}: {lacks}"),
            format!("Study {number} closed and lacks by protocol {protocol}: {lacks}"),
            now,
        ));
    }
    let failed: u64 = [FileState::Failed, FileState::Incomplete, FileState::Conflict]
        .map(|state| inventory.states.get(state))
        .iter()
        .sum();
    if failed > 0 {
        messages.push(Message::new(
            NotifyEvent::FilesFailed,
            format!("files_failed {study} {failed}"),
            format!("Study {number} closed with {failed} files that could not be labelled"),
            now,
        ));
    }
    let accession = attributes.filter(|_| settings.include_accession_numbers).and_then(accession_number);
    for message in &mut messages {
        message.study_number = Some(number);
        message.study_instance_uid = settings.include_uids.then(|| study.to_string());
        message.accession_number.clone_from(&accession);
    }
    messages
}

/// Returns the accession number; one that is not plain ASCII is left out, as its character set is not decoded.
fn accession_number(attributes: &StudyAttributes) -> Option<String> {
    let text = std::str::from_utf8(attributes.get(ACCESSION_NUMBER)?).ok()?.trim_matches([' ', '\0']);
    (!text.is_empty() && text.is_ascii()).then(|| text.to_owned())
}
