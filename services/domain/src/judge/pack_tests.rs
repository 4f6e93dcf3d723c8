//! The tenant packs, rule by rule: met, violated and not applicable, on calls of a line; and what a rulebook
//! says of calls that are none of its business.

use super::tests::call;
use crate::test_call::call_from;
use crate::{Call, Direction, Judgement, Reason, Rulebook, Ruling, judge};

const ZH: &str = include_str!("../../../../deploy/rulebooks/collections-zh.toml");
const EN: &str = include_str!("../../../../deploy/rulebooks/collections-en.toml");

/// A call that a collections line made at ten in the morning.
fn dialled() -> Call {
    Call {
        queue: Some("collections".into()),
        direction: Direction::Outbound,
        started_at: Some("2026-03-04T10:00:00+08:00".parse().unwrap()),
        ..call()
    }
}

fn judged(pack: &str, call: &Call, lines: &str) -> Judgement {
    judge(call, &call_from(lines), &Rulebook::parse(pack).unwrap())
}

#[track_caller]
fn check_call(pack: &str, call: &Call, rule: &str, lines: &str, expect: (Ruling, Option<Reason>)) {
    let judgement = judged(pack, call, lines);
    let verdict = judgement.verdicts.iter().find(|verdict| verdict.rule == rule).unwrap();
    assert_eq!((verdict.ruling, verdict.reason), expect, "{lines}\n{verdict:#?}");
}

const MET: (Ruling, Option<Reason>) = (Ruling::Met, None);
const VIOLATED: (Ruling, Option<Reason>) = (Ruling::Violated, None);
const NOT_APPLICABLE: (Ruling, Option<Reason>) = (Ruling::NotApplicable, Some(Reason::PreconditionAbsent));
const OUT_OF_SCOPE: (Ruling, Option<Reason>) = (Ruling::NotApplicable, Some(Reason::OutOfScope));

#[track_caller]
fn zh(rule: &str, lines: &str, expect: (Ruling, Option<Reason>)) {
    check_call(ZH, &dialled(), rule, lines, expect);
}

#[track_caller]
fn en(rule: &str, lines: &str, expect: (Ruling, Option<Reason>)) {
    check_call(EN, &dialled(), rule, &format!("lang=en | {lines}"), expect);
}

/// Long enough that an opening is over.
const LATER: &str =
    "a 您好 | c 你好啊 | a 今天打扰了 | c 有什么事 | a@40000-42000 是这样的 | c@43000-44000 你说";

#[test]
fn zh_identify() {
    let rule = "identify.agent";
    zh(rule, "a 我是小王 #self_identification | c 你说", MET);
    zh(rule, "a 您好 公号八零二三 | c 你说", MET);
    zh(rule, LATER, VIOLATED);
    let announced = Call { auto_announced: Some(true), ..dialled() };
    check_call(ZH, &announced, rule, LATER, NOT_APPLICABLE);
    let rule = "identify.company";
    zh(rule, "a 您好 这里是银行信用卡中心 | c 你说", MET);
    zh(rule, "a 您好 我们是受银行威托 | c 你说", MET);
    zh(rule, LATER, VIOLATED);
}

#[test]
fn zh_right_party() {
    let rule = "privacy.right-party";
    zh(rule, "a 请问您是王女士本人吗 | c 我是的啊 | a 您的账单已经逾期三天", MET);
    zh(rule, "a 请问是哪位 #identity_verification | c 姓王 | a 您欠了三百元", MET);
    zh(rule, "a 您好 | c 你哪位 | a 您的账单已经逾期三天 | c 哦这样", VIOLATED);
    zh(rule, "a 请问您是王女士吗 | a 您的账单已经逾期三天 | c 哦这样", VIOLATED);
    zh(rule, "a 您好 | c 打错了吧 | a 打扰了", NOT_APPLICABLE);
}

#[test]
fn zh_third_party() {
    let rule = "privacy.third-party";
    zh(rule, "a 请问是王先生吗 | c 他不在 | a 那请他方便时回个电话", MET);
    zh(rule, "a 请问是王先生吗 | c 我是他爱人 | a 他的信用卡逾期了", VIOLATED);
    zh(rule, "a 请问是王先生吗 | c 他不在家 你等等 | c 喂 我就是 | a 您的信用卡逾期了", MET);
    zh(rule, "a 请问是王先生吗 | c 我名字打错了一个字 | a 您的信用卡逾期了", NOT_APPLICABLE);
    zh(rule, "a 请问是王先生吗 | c 是我 | a 您的信用卡逾期了", NOT_APPLICABLE);
    // The debtor's own words.
    zh(rule, "a 请问是王先生吗 | c 我现在不在家，你说吧 | a 您的信用卡逾期了", NOT_APPLICABLE);
    zh(rule, "a 请问是王先生吗 | c 其他人不在家，你说吧 | a 您的信用卡逾期了", NOT_APPLICABLE);
    zh(rule, "a 请问是王先生吗 | c 我不认识你们啊 | a 您的信用卡逾期了", NOT_APPLICABLE);
    zh(rule, "a 请问是王先生吗 | c 她人不在家 | a 他的信用卡逾期了", VIOLATED);
    zh(rule, "a 请问是王先生吗 | c 你说的这个人我不认识 | a 他的信用卡逾期了", VIOLATED);
}

#[test]
fn zh_contact_list() {
    let rule = "privacy.contact-list";
    zh(rule, "c 我没钱 | a 再不还我就打给你单位", VIOLATED);
    zh(rule, "c 会找我家人吗 | a 请放心 我们不会联系您的家人", MET);
    zh(rule, "c 你会找我同事吗 别联系你同事那套 | a 不会的", MET);
    zh(rule, "a 您好 打给你单位", (Ruling::NotApplicable, Some(Reason::NoConversation)));
}

#[test]
fn zh_conduct() {
    zh("conduct.threat", "c 我没钱 | a 那你就等着坐牢吧", VIOLATED);
    zh("conduct.threat", "c 我没钱 | a 让你身拜名列", VIOLATED);
    zh("conduct.threat", "c 你们要抓我坐牢吗 | a 不会的 您别担心", MET);
    zh("conduct.false-authority", "c 你是谁 | a 我是法院的", VIOLATED);
    zh("conduct.false-authority", "c 你是法院吗 | a 不是 这里是银行", MET);
    zh("conduct.rude", "c 我没钱 | a 你要不要脸 #rude", VIOLATED);
    zh("conduct.rude", "c 你要不要脸 | a 您别生气", MET);
    zh("conduct.illegal-funding", "c 我没钱 | a 那就去别的平台借啊", VIOLATED);
    zh("conduct.illegal-funding", "c 为什么冻结 | a 触发了反套现模型", MET);
    zh("conduct.illegal-funding", "c 我找朋友借吧 | a 请您量力而行", MET);
}

#[test]
fn zh_unauthorised_waiver() {
    let rule = "conduct.unauthorised-waiver";
    zh(rule, "c 太多了 | a 今天还的话利息全免 | c 真的啊", VIOLATED);
    zh(rule, "c 太多了 | a 我保证 #improper_promise | c 真的啊 | a 真的 | c 那行吧", VIOLATED);
    zh(rule, "c 太多了 | a 罚息全免需要审批 | c 那好吧", MET);
    zh(rule, "c 太多了 | a 罚息全免 | c 真的啊 | a 要以神批为准 | c 那好吧", MET);
    zh(rule, "c 能不能利息全免 | a 我来帮您申请 | c 那好吧", MET);
}

#[test]
fn zh_hours() {
    let at =
        |time: &str| Call { started_at: Some(format!("2026-03-04T{time}").parse().unwrap()), ..dialled() };
    let check = |call: &Call, expect| check_call(ZH, call, "conduct.hours", "a 您好 | c 你好啊", expect);
    check(&at("08:00:00+08:00"), MET);
    check(&at("21:59:59+08:00"), MET);
    check(&at("22:00:00+08:00"), VIOLATED);
    check(&at("07:59:59+08:00"), VIOLATED);
    // Nine in the evening in London, whatever the clock in Shanghai shows.
    check(&at("21:00:00+00:00"), MET);
    check(&Call { direction: Direction::Inbound, ..at("23:00:00+08:00") }, NOT_APPLICABLE);
    let timeless = Call { started_at: None, ..dialled() };
    let missing = (Ruling::Unknown, Some(Reason::MissingAttribute));
    let any_day = ZH.replace("[validity]\nfrom = \"2026-01-01\"", "");
    check_call(&any_day, &timeless, "conduct.hours", "a 您好 | c 你好啊", missing);
}

#[test]
fn en_recording_disclosure() {
    let rule = "disclosure.recording";
    en(rule, "a Hi, this call may be recorded. | c Fine by me", MET);
    en(
        rule,
        "a@0-1000 Hi there | c@2000-3000 Who is it | a@40000-41000 A bank | c@42000-43000 Which | a@44000-45000 Ours",
        VIOLATED,
    );
    en(rule, "a This call is recorded", (Ruling::NotApplicable, Some(Reason::NoConversation)));
}

#[test]
fn en_mini_miranda() {
    let rule = "disclosure.mini-miranda";
    let told =
        "This is an attempt to collect a debt and any information obtained will be used for that purpose";
    en(rule, &format!("a Hi | c Hello there | a Your card is past due. {told} | c I know"), MET);
    en(rule, &format!("a {told} | c I know it | a You owe fifty dollars"), MET);
    en(
        rule,
        "a Hi | c Hello there | a This is an attempt to collect a debt | c I know it | a So pay | c No way",
        VIOLATED,
    );
    en(rule, "a Hi | c Hello there | a Your card is past due | c I know it | a So pay | c No way", VIOLATED);
    en(rule, "a Hi | c Hello there | a Is Mr Wu in | c No way", NOT_APPLICABLE);
    let claim = Call { queue: Some("claims".into()), ..dialled() };
    let due = "lang=en | a Your premium is past due | c I know it | a Right then | c No way";
    check_call(EN, &claim, rule, due, NOT_APPLICABLE);
}

#[test]
fn en_privacy() {
    let rule = "privacy.right-party";
    en(rule, "a Am I speaking with Mr Wu? | c You are speaking to him | a Your card is past due", MET);
    en(
        rule,
        "a And your birthday? #identity_verification | c In May | a Your claim was paid #discloses_account_data",
        MET,
    );
    en(rule, "a Hi | c Hello there | a Your card is past due | c Really now", VIOLATED);
    en(rule, "a Hi | c Hello there | a Is Mr Wu in", NOT_APPLICABLE);
    let rule = "privacy.third-party";
    en(rule, "a Is Mr Wu in | c He's not here | a I will try again later", MET);
    en(rule, "a Is Mr Wu in | c This is his wife | a Tell him that he is past due", VIOLATED);
    en(rule, "a Is Mr Wu in | c I'm his wife, hold on | c Hello, this is he | a Your card is past due", MET);
    en(rule, "a Is Mr Wu in | c Speaking to you | a Your card is past due", NOT_APPLICABLE);
    // The customer's own words.
    en(rule, "a Is Mrs Wu in | c Yes, this is her. | a Your card is past due", NOT_APPLICABLE);
    en(rule, "a Is Mrs Wu in | c I'm her, what is it | a Your card is past due", NOT_APPLICABLE);
    en(
        rule,
        "a Is Mrs Wu in | c I live with my mother and I can't work | a Your card is past due",
        NOT_APPLICABLE,
    );
    en(rule, "a Is Mrs Wu in | c This is her husband | a Her card is past due", VIOLATED);
    en(rule, "a Is Mrs Wu in | c No, this is her husband speaking. | a Her card is past due", VIOLATED);
    let hands_over = "a Is Mrs Wu in | c This is her husband, hold on";
    en(rule, &format!("{hands_over} | c Hello? Speaking. | a Your card is past due"), MET);
    en(rule, &format!("{hands_over} | c Who is speaking? | a Her card is past due"), VIOLATED);
}

#[test]
fn en_care() {
    let rule = "care.vulnerable-customer";
    let lost = "a Hi | c I lost my job in March";
    en(
        rule,
        &format!(
            "{lost} | a I'm sorry to hear that | c Thanks a lot | a I can pause your payments | c Good then | a Done | c Bye now"
        ),
        MET,
    );
    en(rule, &format!("{lost} | a Let me see #empathy_apology #offers_solution | c Thanks a lot"), MET);
    en(
        rule,
        &format!(
            "{lost} | a I'm sorry to hear that | c Thanks a lot | a So when | c No idea | a Then | c Bye now"
        ),
        VIOLATED,
    );
    en(
        rule,
        &format!(
            "{lost} | a We have a payment plan | c Thanks a lot | a So when | c No idea | a Then | c Bye now"
        ),
        VIOLATED,
    );
    en(rule, "a Hi | c I will pay on Monday | a Good", NOT_APPLICABLE);
    let rule = "care.no-pressure";
    en(rule, &format!("{lost} | a I'm sorry to hear that | c Thanks a lot"), MET);
    en(rule, &format!("{lost} | a That's no excuse | c Wow then"), VIOLATED);
    en(rule, "a You must pay today | c I will pay on Monday | a Good", NOT_APPLICABLE);
}

#[test]
fn en_service() {
    let rule = "service.supervisor-request";
    let asks = "a Hi | c Let me talk to your manager";
    en(rule, &format!("{asks} | a One moment, I'll put you through | c Thanks a lot"), MET);
    en(rule, &format!("{asks} | a Of course #escalates | c Thanks a lot"), MET);
    en(rule, &format!("{asks} | a There is none | c I insist | a No | c Then bye | a Bye"), VIOLATED);
    en(rule, "a Hi | c I will pay on Monday | a Good", NOT_APPLICABLE);
    let rule = "service.stop-calling";
    let asks = "a Hi | c Stop calling me";
    en(rule, "a Hi | c Don't call me a liar | a I did not", NOT_APPLICABLE);
    en(rule, &format!("{asks} | a We won't call this number again | c Thanks a lot"), MET);
    en(rule, &format!("{asks} | a You still owe it | c I insist | a No | c Then bye | a Bye"), VIOLATED);
    en(rule, "a Hi | c I will pay on Monday | a Good", NOT_APPLICABLE);
}

#[test]
fn en_conduct() {
    en("conduct.threat", "c I can't pay | a Then you'll be arrested", VIOLATED);
    en("conduct.threat", "c Will I go to jail | a Nobody will do that", MET);
    en("conduct.rude", "c I can't pay | a You liar #rude", VIOLATED);
    en("conduct.rude", "c You liar | a I see", MET);
    let rule = "conduct.unauthorised-waiver";
    en(rule, "c It is too much | a Then I'll waive the fee | c Great stuff", VIOLATED);
    en(rule, "c It is too much | a I will waive the fee, subject to approval | c Great stuff", MET);
    en(rule, "c Can you waive it | a I'll ask for it | c Great stuff", MET);
    let at = |hour: &str| Call {
        started_at: Some(format!("2026-03-04T{hour}:00:00-05:00").parse().unwrap()),
        ..dialled()
    };
    let check =
        |call: &Call, expect| check_call(EN, call, "conduct.hours", "lang=en | a Hi | c Hello there", expect);
    check(&at("20"), MET);
    check(&at("21"), VIOLATED);
    check(&Call { direction: Direction::Inbound, ..at("23") }, NOT_APPLICABLE);
}

#[test]
fn every_rule_of_a_pack_speaks_both_languages() {
    for (pack, rules) in [(ZH, 11), (EN, 12)] {
        let pack = Rulebook::parse(pack).unwrap();
        assert_eq!(pack.rules().len(), rules, "{}", pack.id());
        for text in pack.rules().iter().flat_map(|rule| [&rule.title, &rule.tell]) {
            assert!(!text.zh.is_empty() && !text.en.is_empty(), "{text:?}");
        }
    }
}

/// A call outside of a rulebook's scope is none of its business, and costs nobody anything.
#[test]
fn calls_out_of_scope_are_not_judged() {
    let threat = "c 我没钱 | a 那你就等着坐牢吧";
    let check = |call: &Call, expect| check_call(ZH, call, "conduct.threat", threat, expect);
    let unknown = (Ruling::Unknown, Some(Reason::MissingAttribute));
    check(&dialled(), VIOLATED);
    check(&Call { queue: Some("sales".into()), ..dialled() }, OUT_OF_SCOPE);
    check(&Call { queue: None, ..dialled() }, unknown);
    check(
        &Call { started_at: Some("2025-12-31T23:00:00+08:00".parse().unwrap()), ..dialled() },
        OUT_OF_SCOPE,
    );
    check(&Call { started_at: None, ..dialled() }, unknown);
    check(&Call { started_at: None, queue: Some("sales".into()), ..dialled() }, OUT_OF_SCOPE);
    check_call(ZH, &dialled(), "conduct.rude", "lang=en | c I can't pay | a You liar #rude", OUT_OF_SCOPE);
    let campaign = ZH.replace("[scope]", "[scope]\nlabels = { campaign = [\"spring\"] }");
    let labelled = |value: &str| Call { labels: [("campaign".into(), value.into())].into(), ..dialled() };
    check_call(&campaign, &labelled("spring"), "conduct.threat", threat, VIOLATED);
    check_call(&campaign, &labelled("autumn"), "conduct.threat", threat, OUT_OF_SCOPE);
    check_call(&campaign, &dialled(), "conduct.threat", threat, unknown);
}
