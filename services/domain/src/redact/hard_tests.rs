//! Numbers as whisper writes them: spaced, hyphenated, full-width, in Chinese, mixed, with a country code.

use super::*;

/// All at once, so that one run shows every gap.
#[track_caller]
fn check(cases: &[(&str, &str)]) {
    let redacted = |raw: &str| redact(&RawText::new(raw)).0.as_str().to_owned();
    let wrong: Vec<String> = cases
        .iter()
        .map(|&(raw, expect)| (raw, redacted(raw), expect))
        .filter(|(_, got, expect)| got != expect)
        .map(|(raw, got, expect)| format!("{raw}\n   got {got}\n  want {expect}"))
        .collect();
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[track_caller]
fn stays(texts: &[&str]) {
    check(&texts.iter().map(|&text| (text, text)).collect::<Vec<_>>());
}

#[test]
fn phones_however_written() {
    check(&[
        ("1 3 8 1 2 3 4 5 6 7 8", "[phone]"),
        ("1、3、8、1、2、3、4、5、6、7、8", "[phone]"),
        ("138-1234-5678", "[phone]"),
        ("138—1234—5678", "[phone]"),
        ("１３８１２３４５６７８", "[phone]"),
        ("１３８－１２３４－５６７８", "[phone]"),
        ("138...1234...5678", "[phone]"),
        ("138 嗯 1234 呃 5678", "[phone]"),
        ("138 uh 1234 um 5678", "[phone]"),
        ("零七五五杠八三三二一二三四", "[phone]"),
        ("一三八一二三四5678", "[phone]"),
        ("壹叁捌壹贰叁肆伍陆柒捌", "[phone]"),
        ("+86 138 1234 5678", "[phone]"),
        ("0086-138-1234-5678", "[phone]"),
        ("+44 7700 900123", "[phone]"),
        ("+44 (0)20 7946 0958", "[phone]"),
        ("020 7946 0958", "[phone]"),
        ("call me on 07700 900123", "call me on [phone]"),
        ("(415)555-0134", "[phone]"),
        ("415.555.0134", "[phone]"),
        ("it's 555-0134", "it's [phone]"),
        ("您预留的银行卡手机号是13812345678", "您预留的银行卡手机号是[phone]"),
        ("身份证我忘了,手机号是13812345678", "身份证我忘了,手机号是[phone]"),
        ("工号1024为您服务,您的电话是13812345678", "工号1024为您服务,您的电话是[phone]"),
        ("电话13,812,345,678", "电话[phone]"),
        ("18338123456", "[phone]"),
        ("18001234567", "[phone]"),
        ("13812345678 3栋2单元", "[phone] [address_detail]"),
        ("the account number is 4008208820", "the account number is [bank_account]"),
        ("号码是12345678元旦打", "号码是[phone]元旦打"),
    ]);
}

#[test]
fn cards_and_codes_however_written() {
    check(&[
        ("6 2 2 2 0 2 1 2 3 4 5 6 7 8 9 0 1 2 3", "[card]"),
        ("六二二二零二一二三四五六七八九零一二三", "[card]"),
        ("3782 822463 10005", "[card]"),
        ("4000 1200 3400 5600", "[card]"),
        ("卡号 4,111,111,111,111,111", "卡号 [card]"),
        ("4111 **** **** 1111", "[card]"),
        ("****1111", "[partial_number]"),
        ("CVV 1 2 3", "CVV [cvv]"),
        ("the three digits on the back are 123", "the three digits on the back are [cvv]"),
        ("886就是安全码", "[cvv]就是安全码"),
        ("验证码是483920", "验证码是[cvv]"),
        ("验证码 4 8 3 9 2 0", "验证码 [cvv]"),
        ("校验码 1234", "校验码 [cvv]"),
        ("your verification code is 483920", "your verification code is [cvv]"),
        ("the one-time passcode is 4839", "the one-time passcode is [cvv]"),
        ("the OTP is 839201", "the OTP is [cvv]"),
        ("密码是123456", "密码是[cvv]"),
        ("my pin is 4839", "my pin is [cvv]"),
    ]);
}

#[test]
fn identity_numbers_however_written() {
    check(&[
        ("110101 19900307 451X", "[national_id]"),
        ("1 1 0 1 0 1 1 9 9 0 0 3 0 7 4 5 1 X", "[national_id]"),
        ("110101199003074 51 叉", "[national_id]"),
        ("11010119900307451X的", "[national_id]的"),
        ("一一零一零一一九九零零三零七四五一X", "[national_id]"),
        ("身份证110101900307451", "身份证[national_id]"),
        ("my social is 078 05 1120", "my social is [national_id]"),
        ("my social is 078051120", "my social is [national_id]"),
        ("it is 078 05 1120", "it is [national_id]"),
        ("national insurance AB 12 34 56 C", "national insurance [national_id]"),
        ("it's QQ123456C", "it's [national_id]"),
        ("护照号是E12345678", "护照号是[national_id]"),
        ("my passport is 533401372", "my passport is [national_id]"),
    ]);
}

#[test]
fn parts_of_numbers_however_written() {
    check(&[
        ("尾数是1234", "尾数是[partial_number]"),
        ("尾号八八六六", "尾号[partial_number]"),
        ("末四位１２３４", "末四位[partial_number]"),
        ("后4位是 1 2 3 4", "后4位是 [partial_number]"),
        ("后四位451X", "后四位[partial_number]"),
        ("后面四位是1234", "后面四位是[partial_number]"),
        ("最后六位是123456", "最后六位是[partial_number]"),
        ("1234结尾的那张卡", "[partial_number]结尾的那张卡"),
        ("it ends in 4 4 2 1", "it ends in [partial_number]"),
        ("it ends with 4421", "it ends with [partial_number]"),
        ("the last 4 digits are 4421", "the last 4 digits are [partial_number]"),
        ("card ending 4421", "card ending [partial_number]"),
        ("4421 are the last four", "[partial_number] are the last four"),
    ]);
}

#[test]
fn accounts_mail_plates_however_written() {
    check(&[
        ("GB29 NWBK 6016 1331 9268 19", "[bank_account]"),
        ("IBAN是DE89370400440532013000", "IBAN是[bank_account]"),
        ("sort code 20-00-00", "sort code [bank_account]"),
        ("account number is 31926819", "account number is [bank_account]"),
        ("户号是102938", "户号是[bank_account]"),
        ("wang at qq dot com", "[email]"),
        ("wang dot li at qq dot com", "[email]"),
        ("w a n g at qq.com please", "[email] please"),
        ("email me at j.smith at outlook dot co dot uk", "email [email]"),
        ("wang艾特qq点com", "[email]"),
        ("邮箱是12345@qq点com", "邮箱是[email]"),
        ("WANG.LI@EXAMPLE.CO.UK. Thanks", "[email]. Thanks"),
        ("车牌粤BD12345", "车牌[plate]"),
        ("粤B·D12345", "[plate]"),
        ("粤B 1 2 3 4 5", "[plate]"),
        ("粤B一二三四五", "[plate]"),
        ("京A1234学", "[plate]"),
        ("车牌AB12CDE", "车牌[plate]"),
        ("license plate is 7ABC123", "license plate is [plate]"),
    ]);
}

#[test]
fn birth_dates_however_written() {
    check(&[
        ("出生日期一九九零年三月七日", "出生日期[birth_date]"),
        ("生日是1990-03-07", "生日是[birth_date]"),
        ("生日是3月7号", "生日是[birth_date]"),
        ("我90年3月7号出生的", "我[birth_date]出生的"),
        ("出生日期是19900307", "出生日期是[birth_date]"),
        ("出生日期 1 9 9 0 0 3 0 7", "出生日期 [birth_date]"),
        ("生日是一九九零零三零七", "生日是[birth_date]"),
        ("DOB 03 07 1990", "DOB [birth_date]"),
        ("date of birth, 7 March 1990", "date of birth, [birth_date]"),
        ("my birthday is the 7th of March, 1990", "my birthday is the [birth_date]"),
        ("my birthday is March 7th", "my birthday is [birth_date]"),
        ("I was born 3/7/90", "I was born [birth_date]"),
        ("born on the third of March 1990", "born on the [birth_date]"),
        ("my birthday is March 1990", "my birthday is [birth_date]"),
        ("出生年月是1990年3月", "出生年月是[birth_date]"),
    ]);
}

#[test]
fn addresses_however_written() {
    check(&[
        ("中山路88号3单元402室", "中山路[address_detail]"),
        ("建国路93号院12号楼1806", "建国路[address_detail]"),
        ("幸福小区3栋2单元501", "幸福小区[address_detail]"),
        ("八幢三零二室", "[address_detail]"),
        ("延安路88弄5号602室", "延安路[address_detail]"),
        ("A座1203", "[address_detail]"),
        ("14 SW1A 1AA", "[address_detail] SW1A 1AA"),
        ("SW1A 1AA, door number 14", "SW1A 1AA, door number [address_detail]"),
        ("house number 221B", "house number [address_detail]"),
        ("22 West 21st Street", "[address_detail] West 21st Street"),
        ("10 Kings Crescent", "[address_detail] Kings Crescent"),
        ("PO Box 1187", "PO Box [address_detail]"),
        ("SW1A 2AA, number 10", "SW1A 2AA, number [address_detail]"),
        ("门牌号是1502", "门牌号是[address_detail]"),
    ]);
}

#[test]
fn what_a_reviewer_needs_stays() {
    stays(&[
        "工号 10245678 为您服务",
        "我的工号是123456",
        "my employee number is 10245678",
        "您可以打12315,也可以打95588",
        "10086、10010都可以",
        "请拨打400-820-8820",
        "热线4008208820",
        "call 1-800-555-0199",
        "dial 0800 111 222",
        "尾号没问题,您打95588吧",
        "在2026-11-23之前",
        "2026-11-23 10:30到的",
        "11/23/2026",
        "从2024-2025年开始",
        "in 2024, 2025 and 2026",
        "一共12345678元",
        "余额是12345.67",
        "$12345678",
        "you have 1234567 points",
        "大概10000000人",
        "100、200、300的都有",
        "3000-5000元的套餐",
        "身份证核实好了,余额是12345元",
        "over the last four weeks I paid 300",
        "最后三个月花了500元",
        "尾款500元",
        "三十二块五",
        "等了24小时,30分钟,7到15个工作日",
        "二零二六年十一月二十三日",
        "我知道5号到期",
        "那辆5座的车",
        "买了新Samsung手机",
        "We open at nine. Please come",
        "a flat 20 dollar fee",
        "生日蛋糕2026年3月1日送到",
        "1990年以后",
        "我说过三五次了",
        "套餐一二三都行",
        "12.50 - 15.00",
        "10.30 - 11.30",
        "11-23 - 11-30",
        "2026-11-23 - 2026-11-30",
        "2026-11-23。2026-11-24",
        "1280 - 2560元的套餐",
        "10086，对，10010",
        "300, okay, 300",
        "2024, right, 2025",
        "in 2024 and 2025 and 2026",
        "It was 1500 and 2000 dollars",
        "99.50, and 45.20, and 30.15",
        "余额3200。上月5000",
        "orders 442178 and 442179",
        "your card was charged 1500 and 2001",
        "my account balance is 31,926,819",
        "the case number is 020 8332 1234",
        "call 18005550199",
        "您的卡尾号没问题，客服电话95588",
        "身份证后四位核实好了，您的余额一共是3200",
        "I have the security code already, and your bill is 250",
        "the last four went through, so that makes $350",
    ]);
}

#[test]
fn codes_and_last_digits_wherever_they_are_named() {
    check(&[
        (
            "the three digits on the back of the card are 123",
            "the three digits on the back of the card are [cvv]",
        ),
        ("the CVV on the card is 123", "the CVV on the card is [cvv]"),
        ("my security code, hang on, is 123", "my security code, hang on, is [cvv]"),
        ("the last four of my account are 7219", "the last four of my account are [partial_number]"),
        ("尾号7219那张，还有8833那张", "尾号[partial_number]那张，还有[partial_number]那张"),
        ("尾号7219，对，7219", "尾号[partial_number]，对，[partial_number]"),
        ("尾号1234年费是多少", "尾号[partial_number]年费是多少"),
        ("尾号是1234万事达卡", "尾号是[partial_number]万事达卡"),
    ]);
}

#[test]
fn groups_apart_are_one_number() {
    check(&[
        ("我的电话是138 - 1234 - 5678", "我的电话是[phone]"),
        ("one three eight - one two three four - five six seven eight", "[phone]"),
        ("四一一一。一一一一。一一一一。一一一一。", "[card]。"),
        ("my card number is 4111 - 1111 - 1111 - 1111", "my card number is [card]"),
        ("卡号是4111。1111。1111。1111", "卡号是[card]"),
        ("my card is 4111, okay, 1111, okay, 1111, okay, 1111", "my card is [card]"),
        ("the number is 4111, 1111, 1111, and 1111.", "the number is [card]."),
        ("my account number is 3192, right, 6819", "my account number is [bank_account]"),
        ("it's 415, 555, and 0134", "it's [phone]"),
    ]);
}

#[test]
fn what_a_number_is_called_counts_more_than_how_it_looks() {
    check(&[
        ("my account number is 31,926,819", "my account number is [bank_account]"),
        ("my social is 078,051,120", "my social is [national_id]"),
        ("my social is 478,051,120", "my social is [national_id]"),
        ("For my claim, it's 415 555 0134", "For my claim, it's [phone]"),
        ("我要投诉，020 8332 1234", "我要投诉，[phone]"),
        ("您打18666123456就行", "您打[phone]就行"),
    ]);
}
