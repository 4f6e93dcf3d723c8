//! What callqa's codes are called, in the language of who reads them.

mod labels;
mod rules;

use callqa_domain::{
    Bilingual, Channel, Class, FlagReason, Language, OutcomeKind, Reason, RedactedKind, Ruling,
};

/// The language in which something is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Tongue {
    /// Mandarin.
    Zh,
    /// English.
    En,
}

impl Tongue {
    /// The language of a call; English where nobody spoke.
    pub fn of(language: Option<Language>) -> Self {
        match language {
            Some(Language::Zh) => Self::Zh,
            Some(Language::En) | None => Self::En,
        }
    }

    /// As HTML names it.
    pub fn code(self) -> &'static str {
        self.pick("zh", "en")
    }

    /// One of two wordings.
    pub fn pick<T>(self, zh: T, en: T) -> T {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }

    /// A rule's sentence.
    pub fn told(self, sentence: &Bilingual) -> &str {
        self.pick(sentence.zh.as_str(), sentence.en.as_str())
    }

    /// Who speaks.
    pub fn speaker(self, channel: Channel) -> &'static str {
        match channel {
            Channel::Agent => self.pick("坐席", "agent"),
            Channel::Customer => self.pick("客户", "customer"),
            Channel::Mixed => self.pick("混合声道", "mixed"),
        }
    }

    /// A rule's answer.
    pub fn ruling(self, ruling: Ruling) -> &'static str {
        match ruling {
            Ruling::Met => self.pick("做到", "met"),
            Ruling::Violated => self.pick("违反", "violated"),
            Ruling::NotApplicable => self.pick("不适用", "not applicable"),
            Ruling::Unknown => self.pick("无法判断", "unknown"),
        }
    }

    /// How bad a violation is.
    pub fn class(self, class: Class) -> &'static str {
        match class {
            Class::Fatal => self.pick("致命", "fatal"),
            Class::Serious => self.pick("严重", "serious"),
            Class::Minor => self.pick("一般", "minor"),
            Class::Notice => self.pick("观察", "notice"),
            Class::Praise => self.pick("表扬", "praise"),
        }
    }

    /// How a call came out.
    pub fn outcome(self, outcome: OutcomeKind) -> &'static str {
        match outcome {
            OutcomeKind::Resolved => self.pick("已解决", "resolved"),
            OutcomeKind::PartiallyResolved => self.pick("部分解决", "partially resolved"),
            OutcomeKind::Unresolved => self.pick("未解决", "unresolved"),
            OutcomeKind::Unknown => self.pick("未知", "unknown"),
        }
    }

    /// Why a rule is neither met nor violated, as a sentence.
    pub fn reason(self, reason: Reason) -> &'static str {
        match reason {
            Reason::NoConversation => {
                self.pick("坐席与客户没有都说话，不构成通话。", "Agent and customer did not both speak.")
            }
            Reason::PreconditionAbsent => self.pick(
                "规则的前提在本次通话中没有出现。",
                "What the rule waits for did not happen in this call.",
            ),
            Reason::OutOfScope => self.pick(
                "规则集不适用于本次通话：它针对的是其他租户、队列、语种、呼叫方向、标签或日期。",
                "The rulebook does not cover this call: it is for other tenants, queues, languages, directions, labels or days.",
            ),
            Reason::CutShort => self.pick(
                "通话在该做之前就由客户挂断或断线。",
                "The call ended before it fell due, and not by the agent.",
            ),
            Reason::Mono => self.pick(
                "录音只有一个声道，无法分清谁在说话。",
                "The recording has one track with both speakers: nobody's role is known.",
            ),
            Reason::LowCoverage => self.pick(
                "该时段听清的话语不足八成，无法断定有没有说过。",
                "Less than 80 % of the speech where it was due was heard well enough to say that it was missing.",
            ),
            Reason::ModelInDoubt => {
                self.pick("模型没有把握，因此不扣分。", "A classifier is not sure, so nothing is deducted.")
            }
            Reason::MissingAttribute => self.pick(
                "通话事件缺少判断所需的信息。",
                "The call's event does not say what the rule needs to know.",
            ),
        }
    }

    /// Why a human should listen.
    pub fn flag(self, reason: &FlagReason) -> String {
        match reason {
            FlagReason::Fatal(rule) => format!("{} {rule}", self.pick("致命违规", "fatal rule violated:")),
            FlagReason::Serious(rule) => {
                format!("{} {rule}", self.pick("严重违规", "serious rule violated:"))
            }
            FlagReason::Risk(rule) => format!("{} {rule}", self.pick("风险", "risk:")),
            FlagReason::Unresolved => self.pick("问题很可能未解决", "very likely unresolved").to_owned(),
            FlagReason::ImpairedCoverage => self
                .pick("两成以上的话语没有听清", "a fifth of the speech or more was not understood")
                .to_owned(),
        }
    }

    /// What was taken out of text.
    pub fn redacted(self, kind: RedactedKind) -> &'static str {
        match kind {
            RedactedKind::Card => self.pick("银行卡号", "card number"),
            RedactedKind::Cvv => self.pick("安全码", "security code"),
            RedactedKind::NationalId => self.pick("证件号码", "identity number"),
            RedactedKind::BankAccount => self.pick("银行账号", "bank account"),
            RedactedKind::Phone => self.pick("电话号码", "telephone number"),
            RedactedKind::Email => self.pick("电子邮箱", "e-mail address"),
            RedactedKind::Plate => self.pick("车牌号", "number plate"),
            RedactedKind::BirthDate => self.pick("出生日期", "date of birth"),
            RedactedKind::AddressDetail => self.pick("门牌", "door number"),
            RedactedKind::PartialNumber => self.pick("尾号", "last digits"),
        }
    }
}
