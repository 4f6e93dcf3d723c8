//! Text that may hold a card number is another type than text that may be published.

use serde::{Deserialize, Serialize};

use crate::{Channel, Span};

/// What was heard, word for word. It may hold numbers and names, so it has no `Debug`, `Display` or
/// `Serialize`: the only way on is [`redact`](crate::redact).
#[derive(Clone, PartialEq, Eq)]
pub struct RawText(String);

impl RawText {
    /// Takes what a transcriber heard.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether nothing but white space was heard.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }

    /// For the redactor alone.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

/// Text from which everything in [`RedactedKind`] has been taken out; safe to publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Text(String);

impl Text {
    /// For the redactor alone.
    pub(crate) fn redacted(text: String) -> Self {
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Text that comes back from a results topic or a dialogue file is redacted again on its way in:
/// nobody has to trust who wrote it. Redaction leaves its own marks alone.
impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(crate::redact(&RawText::new(String::deserialize(deserializer)?)).0)
    }
}

/// What is taken out of text (`labels-and-rules`, section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RedactedKind {
    /// A payment card's number.
    Card,
    /// A payment card's security code.
    Cvv,
    /// A national identity number.
    NationalId,
    /// A bank account.
    BankAccount,
    /// A telephone number.
    Phone,
    /// An e-mail address.
    Email,
    /// A vehicle's plate.
    Plate,
    /// A date of birth.
    BirthDate,
    /// Door number and below.
    AddressDetail,
    /// The last digits of any of these.
    PartialNumber,
}

impl RedactedKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Card,
        Self::Cvv,
        Self::NationalId,
        Self::BankAccount,
        Self::Phone,
        Self::Email,
        Self::Plate,
        Self::BirthDate,
        Self::AddressDetail,
        Self::PartialNumber,
    ];

    /// The published name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Cvv => "cvv",
            Self::NationalId => "national_id",
            Self::BankAccount => "bank_account",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Plate => "plate",
            Self::BirthDate => "birth_date",
            Self::AddressDetail => "address_detail",
            Self::PartialNumber => "partial_number",
        }
    }

    /// What stands in the text in its place.
    #[must_use]
    pub fn mark(self) -> String {
        format!("[{}]", self.name())
    }
}

/// One thing that was taken out of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redaction {
    /// What it was.
    pub kind: RedactedKind,
    /// Where its mark begins in the redacted text, in characters (Unicode scalar values).
    pub at_char: usize,
}

/// What a transcriber heard in one span of one channel, before redaction.
#[derive(Clone, PartialEq)]
pub struct Heard {
    /// On which channel.
    pub channel: Channel,
    /// When.
    pub span: Span,
    /// The words.
    pub text: RawText,
    /// Mean probability of the words' tokens, 0–1.
    pub confidence: f32,
}

/// What one speaker said in one span.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Utterance {
    /// Who, as far as the channel tells.
    #[serde(rename = "speaker")]
    pub channel: Channel,
    /// When.
    #[serde(flatten)]
    pub span: Span,
    /// The words, redacted.
    pub text: Text,
    /// What was taken out of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redactions: Vec<Redaction>,
    /// Mean probability of the words' tokens, 0–1, rounded to three places.
    pub confidence: f32,
}
