//! Who is on which channel.

use callqa_domain::{Channel, ChannelLayout};

use super::AssessError;

/// Who is on each channel that is listened to. Two channels with one signal are a mono recording, of which
/// the first is enough.
pub(super) fn channels(
    declared: Option<ChannelLayout>,
    channels: usize,
    dual_mono: bool,
) -> Result<Vec<Channel>, AssessError> {
    let wrong = |declared| Err(AssessError::WrongChannelLayout { declared, channels });
    match (declared, channels) {
        (None | Some(ChannelLayout::Mono), 1) => Ok(vec![Channel::Mixed]),
        (_, 2) if dual_mono => Ok(vec![Channel::Mixed]),
        (None | Some(ChannelLayout::AgentFirst), 2) => Ok(vec![Channel::Agent, Channel::Customer]),
        (Some(ChannelLayout::CustomerFirst), 2) => Ok(vec![Channel::Customer, Channel::Agent]),
        (Some(declared), _) => wrong(declared),
        // The decoder lets one or two channels through; more would need a layout that we don't know.
        (None, _) => wrong(ChannelLayout::AgentFirst),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(declared: Option<ChannelLayout>, count: usize, dual_mono: bool, expect: Option<&[Channel]>) {
        match (channels(declared, count, dual_mono), expect) {
            (Ok(found), Some(expect)) => assert_eq!(found, expect),
            (Err(error), None) => assert_eq!(error.reason(), "wrong_channel_layout"),
            (found, _) => panic!("{found:?}"),
        }
    }

    #[test]
    fn what_is_not_said_is_the_usual() {
        check(None, 1, false, Some(&[Channel::Mixed]));
        check(None, 2, false, Some(&[Channel::Agent, Channel::Customer]));
    }

    #[test]
    fn what_is_said_must_fit() {
        check(Some(ChannelLayout::CustomerFirst), 2, false, Some(&[Channel::Customer, Channel::Agent]));
        check(Some(ChannelLayout::Mono), 2, false, None);
        check(Some(ChannelLayout::AgentFirst), 1, false, None);
        check(Some(ChannelLayout::CustomerFirst), 1, false, None);
    }

    #[test]
    fn one_signal_twice_is_mono_whatever_is_said() {
        check(Some(ChannelLayout::AgentFirst), 2, true, Some(&[Channel::Mixed]));
        check(Some(ChannelLayout::Mono), 2, true, Some(&[Channel::Mixed]));
    }
}
