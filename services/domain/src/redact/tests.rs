//! What goes and what stays, one line each.

use super::*;
use proptest::prelude::*;

#[track_caller]
fn check(raw: &str, expect: &str) {
    assert_eq!(redact(&RawText::new(raw)).0.as_str(), expect);
}

#[test]
fn phones() {
    check("我的电话是13812345678", "我的电话是[phone]");
    check("电话 138 1234 5678 谢谢", "电话 [phone] 谢谢");
    check("幺三八一二三四五六七八", "[phone]");
    check("打 0755-83321234 就行", "打 [phone] 就行");
    check("call me at (415) 555-0134 please", "call me at [phone] please");
    check("my number is +1 415 555 0134.", "my number is [phone].");
}

#[test]
fn cards_and_codes() {
    check("卡号是6222 0212 3456 7890 123", "卡号是[card]");
    check("my card is 4111-1111-1111-1111", "my card is [card]");
    check("the security code is 123", "the security code is [cvv]");
    check("安全码是 886", "安全码是 [cvv]");
}

#[test]
fn national_ids() {
    check("身份证号110101199003074514", "身份证号[national_id]");
    check("11010119900307451X", "[national_id]");
    check("social 078-05-1120", "social [national_id]");
}

#[test]
fn parts_of_numbers() {
    check("尾号1234的卡", "尾号[partial_number]的卡");
    check("身份证后四位是 4 5 1 4", "身份证后四位是 [partial_number]");
    check("the last four are 9921", "the last four are [partial_number]");
    check("a card ending in 0042", "a card ending in [partial_number]");
}

#[test]
fn accounts_mail_plates() {
    check("账号 20391823 的户主", "账号 [bank_account] 的户主");
    check("account number 0012 3456 78", "account number [bank_account]");
    check("写到 wang.li@example.com 吧", "写到 [email] 吧");
    check("车牌是粤B12345", "车牌是[plate]");
    check("the plate is AB12 CDE", "the plate is [plate]");
}

#[test]
fn birth_dates_and_addresses() {
    check("出生日期1990年3月7日", "出生日期[birth_date]");
    check("my date of birth is 03/07/1990", "my date of birth is [birth_date]");
    check("born on March 7th, 1990", "born on [birth_date]");
    check("住在中山路88号", "住在中山路[address_detail]");
    check("12栋3单元402室", "[address_detail]");
    check("it's 221 Baker Street", "it's [address_detail] Baker Street");
    check("apartment 4B", "apartment [address_detail]");
}

#[test]
fn what_identifies_nobody_stays() {
    for text in [
        "工号一零二四为您服务",
        "话费余额是32.5元",
        "It costs $1,200,000.00 in all",
        "三到五个工作日",
        "我打了十二三次",
        "agent 1024 speaking",
        "在2026年11月23日之前",
        "打12315投诉",
        "call 911",
    ] {
        check(text, text);
    }
}

#[test]
fn where_it_stood_is_known() {
    let (_, redactions) = redact(&RawText::new("您的13812345678和尾号1234"));
    let found: Vec<_> = redactions.iter().map(|r| (r.kind, r.at_char)).collect();
    assert_eq!(found, [(RedactedKind::Phone, 2), (RedactedKind::PartialNumber, 12)]);
}

proptest! {
    #[test]
    fn twice_is_once(text in "([ a-z0-9零一二三幺号尾卡.,\\[\\]-]{0,6}|13812345678|尾号|工号|验证码|生日|1990年3月7日|路8号| at qq dot com|card|粤B12345|元| born | account number |\\[birth_date\\]|\\[plate\\]){0,12}") {
        let once = redact(&RawText::new(text)).0;
        let twice = redact(&RawText::new(once.as_str())).0;
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn every_redaction_stands_at_its_mark(text in "(路8号|13812345678|尾号|[0-9]{4}|生日|1990年3月7日|[a-z,]{0,3}){0,9}") {
        let (text, redactions) = redact(&RawText::new(text));
        for redaction in redactions {
            let mark: String = text.as_str().chars().skip(redaction.at_char).take(redaction.kind.mark().len()).collect();
            prop_assert_eq!(mark, redaction.kind.mark());
        }
    }

    // None that begins as a service number may: 400, 800, 0800.
    #[test]
    fn no_long_number_survives(digits in "[1-35-79][0-9]{6,18}", around in "[a-z是 ]{0,8}") {
        let text = redact(&RawText::new(format!("{around}{digits}{around}"))).0;
        let left = text.as_str().chars().filter(char::is_ascii_digit).count();
        prop_assert_eq!(left, 0);
    }
}
