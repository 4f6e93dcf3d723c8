//! The classifiers' labels, in words.

use callqa_domain::Label;

use super::Tongue;

impl Tongue {
    /// What somebody does who has this label.
    pub fn label(self, label: Label) -> String {
        match self {
            Self::En => label.name().replace('_', " "),
            Self::Zh => chinese(label).to_owned(),
        }
    }

    /// One or more labels, of which any will do.
    pub fn any_label(self, labels: &[Label]) -> String {
        let names: Vec<String> = labels.iter().map(|&label| self.label(label)).collect();
        names.join(self.pick("或", " or "))
    }
}

fn chinese(label: Label) -> &'static str {
    match label {
        Label::Courteous => "礼貌",
        Label::Neutral => "平常",
        Label::Dismissive => "不耐烦",
        Label::Rude => "辱骂",
        Label::StatesIssue => "说明问题",
        Label::RepeatContact => "重复来电",
        Label::Explains => "解释",
        Label::OffersSolution => "给出方案",
        Label::RejectsExplanation => "不接受解释",
        Label::ConfirmsResolved => "确认已解决",
        Label::SaysUnresolved => "表示未解决",
        Label::PromisesCallback => "承诺回复",
        Label::Escalates => "上报",
        Label::Dissatisfied => "不满",
        Label::ThreatensEscalation => "威胁升级投诉",
        Label::AsksSupervisor => "要求主管或投诉",
        Label::AsksIdentification => "询问姓名工号",
        Label::NothingMore => "表示没有其他需要",
        Label::Greeting => "问候",
        Label::SelfIdentification => "自报姓名或工号",
        Label::IdentityVerification => "核实身份",
        Label::HoldRequest => "请客户等待",
        Label::HoldReturn => "等待后致意",
        Label::EmpathyApology => "安抚致歉",
        Label::AnythingElse => "询问还有无其他需要",
        Label::SurveyInvitation => "邀请评价",
        Label::Closing => "礼貌结束",
        Label::DisclosesAccountData => "透露账户信息",
        Label::BlameShifting => "推诿",
        Label::RefusesIdentification => "拒绝告知姓名工号",
        Label::ImproperPromise => "不当承诺",
    }
}
