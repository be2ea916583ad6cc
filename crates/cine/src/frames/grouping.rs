//! Grouping of fragments into frames where no trustworthy offset table gives it.

use crate::error::CineError;
use crate::frames::Extent;
use crate::frames::markers::{codestream_at, ends_with_end_mark, split_at_end_marks};
use crate::scan::Source;

/// Groups fragments into frames.
///
/// `declared` is Number of Frames, where it is a positive number; `table` the offsets of an offset table relative to
/// `first_item`. In this order: one fragment a frame where the counts agree; the table where it points at fragments;
/// codestream start marks; end marks inside fragments.
pub(crate) fn group_fragments(
    source: &Source,
    fragments: &[Extent],
    declared: Option<u32>,
    table: &[u64],
    first_item: u64,
) -> Result<Vec<Vec<Extent>>, CineError> {
    let filled: Vec<Extent> = fragments.iter().copied().filter(|fragment| fragment.length > 0).collect();
    let one_each = |fragments: &[Extent]| fragments.iter().map(|fragment| vec![*fragment]).collect::<Vec<_>>();
    let declared = declared.map(|count| count as usize);
    if filled.is_empty() {
        return Ok(Vec::new());
    }
    if declared == Some(1) {
        return Ok(whole_codestreams(source, &filled)?.unwrap_or_else(|| vec![filled]));
    }
    if declared == Some(filled.len()) {
        return Ok(one_each(&filled));
    }
    if let Some(frames) = group_by_table(fragments, table, first_item)
        && declared.is_none_or(|count| count == frames.len())
    {
        return Ok(frames);
    }
    let frames = group_by_start_marks(source, &filled)?;
    let found = frames.as_ref().map_or(0, Vec::len);
    if declared.is_some_and(|count| found < count)
        && let Some(split) = split_fragments(source, &filled)?
        && split.len() > found
    {
        return Ok(one_each(&split));
    }
    match (frames, declared) {
        (Some(frames), _) => Ok(frames),
        // Without marks and without a count, all fragments are one frame.
        (None, None) => Ok(vec![filled]),
        (None, Some(_)) => Ok(one_each(&filled)),
    }
}

/// Returns one fragment a frame, where one frame is declared and every fragment is a whole codestream: the 1 was left
/// standing when a still's header was used for a loop.
fn whole_codestreams(source: &Source, fragments: &[Extent]) -> Result<Option<Vec<Vec<Extent>>>, CineError> {
    for fragment in fragments {
        let is_whole = match codestream_at(source, *fragment)? {
            Some(codestream) if codestream.has_end_mark() => ends_with_end_mark(source, *fragment)?,
            _ => false,
        };
        if !is_whole {
            return Ok(None);
        }
    }
    Ok(Some(fragments.iter().map(|fragment| vec![*fragment]).collect()))
}

/// Returns frames as the table says, if each of its offsets is that of an item.
fn group_by_table(fragments: &[Extent], table: &[u64], first_item: u64) -> Option<Vec<Vec<Extent>>> {
    let mut frames = Vec::with_capacity(table.len());
    let mut starts = table.iter().map(|offset| first_item.saturating_add(*offset).saturating_add(8)).peekable();
    for fragment in fragments {
        if starts.peek() == Some(&fragment.offset) {
            starts.next();
            frames.push(Vec::new());
        }
        let frame: &mut Vec<Extent> = frames.last_mut()?;
        if fragment.length > 0 {
            frame.push(*fragment);
        }
    }
    (starts.peek().is_none() && frames.iter().all(|frame| !frame.is_empty())).then_some(frames)
}

/// Returns a new frame wherever a fragment starts a codestream; nothing where the first does not.
fn group_by_start_marks(source: &Source, fragments: &[Extent]) -> Result<Option<Vec<Vec<Extent>>>, CineError> {
    let mut frames: Vec<Vec<Extent>> = Vec::new();
    for fragment in fragments {
        let starts_frame = codestream_at(source, *fragment)?.is_some();
        match frames.last_mut() {
            Some(frame) if !starts_frame => frame.push(*fragment),
            None if !starts_frame => return Ok(None),
            _ => frames.push(vec![*fragment]),
        }
    }
    Ok(Some(frames))
}

/// Returns frames inside fragments, for JPEG codestreams only.
fn split_fragments(source: &Source, fragments: &[Extent]) -> Result<Option<Vec<Extent>>, CineError> {
    let mut frames = Vec::new();
    for fragment in fragments {
        if codestream_at(source, *fragment)? != Some(crate::frames::markers::Codestream::Jpeg) {
            return Ok(None);
        }
        frames.extend(split_at_end_marks(source, *fragment)?);
    }
    Ok(Some(frames))
}
