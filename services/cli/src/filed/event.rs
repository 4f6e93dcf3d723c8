//! What an assessment on file says of its call's event: enough to judge the call again.

use callqa_domain::{Call, ChannelLayout, Direction, EndedBy, Language, Leg, Moment, Span};
use serde::{Deserialize, Serialize};

/// The parts of an event that rules may ask for, or that a report shows.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Event {
    queue: Option<String>,
    /// The agents, in time order.
    legs: Vec<Leg>,
    direction: Direction,
    started_at: Option<Moment>,
    answered_at: Option<Moment>,
    ended_by: EndedBy,
    holds: Vec<Span>,
    auto_announced: Option<bool>,
    agent_language: Option<Language>,
    customer_language: Option<Language>,
    channel_layout: Option<ChannelLayout>,
}

impl Event {
    /// What a call's event said.
    pub fn of(call: &Call) -> Self {
        Self {
            queue: call.queue.clone(),
            legs: call.legs.clone(),
            direction: call.direction,
            started_at: call.started_at,
            answered_at: call.answered_at,
            ended_by: call.ended_by,
            holds: call.holds.clone(),
            auto_announced: call.auto_announced,
            agent_language: call.agent_language,
            customer_language: call.customer_language,
            channel_layout: call.layout,
        }
    }

    /// The call that it speaks of.
    pub fn call(self, tenant: String, call_id: String, revision: u32) -> Call {
        Call {
            revision,
            queue: self.queue,
            legs: self.legs,
            direction: self.direction,
            started_at: self.started_at,
            answered_at: self.answered_at,
            ended_by: self.ended_by,
            holds: self.holds,
            auto_announced: self.auto_announced,
            agent_language: self.agent_language,
            customer_language: self.customer_language,
            layout: self.channel_layout,
            ..Call::new(tenant, call_id)
        }
    }
}
