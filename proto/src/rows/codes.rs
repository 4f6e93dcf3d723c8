//! The published names of what the event says; what a result says has its name in the domain.

use callqa_domain::{Channel, ChannelLayout, Direction, EndedBy, GapReason, Owner, Purpose};

/// What evidence bears as its speaker where it is a span of the whole call.
pub(crate) const WHOLE_CALL: &str = "call";

pub(crate) fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Live => "live",
        Purpose::Backfill => "backfill",
        Purpose::Reprocess => "reprocess",
        Purpose::Test => "test",
    }
}

pub(crate) fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
        Direction::Unknown => "unknown",
    }
}

pub(crate) fn ended_by(ended_by: EndedBy) -> &'static str {
    match ended_by {
        EndedBy::Agent => "agent",
        EndedBy::Customer => "customer",
        EndedBy::Line => "line",
        EndedBy::Unknown => "unknown",
    }
}

pub(crate) fn layout(layout: ChannelLayout) -> &'static str {
    match layout {
        ChannelLayout::AgentFirst => "agent_first",
        ChannelLayout::CustomerFirst => "customer_first",
        ChannelLayout::Mono => "mono",
    }
}

pub(crate) fn gap_reason(reason: GapReason) -> &'static str {
    match reason {
        GapReason::NoWords => "no_words",
        GapReason::Repetition => "repetition",
    }
}

pub(crate) fn owner(owner: Owner) -> &'static str {
    match owner {
        Owner::Agent => "agent",
        Owner::Company => "company",
        Owner::Customer => "customer",
    }
}

pub(crate) fn speaker(channel: Option<Channel>) -> &'static str {
    channel.map_or(WHOLE_CALL, Channel::name)
}
