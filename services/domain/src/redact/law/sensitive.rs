//! Numbers that must go, in the sentences in which callers give them.

use super::dice::Dice;
use super::voice::{Voice, whole};
use crate::RedactedKind::{
    self, BankAccount, BirthDate, Card, Cvv, Email, NationalId, PartialNumber, Phone, Plate,
};

/// Digits that identify somebody, and what they are.
pub(super) fn number(kind: RedactedKind, dice: &mut Dice, chinese: bool) -> String {
    let rest = |dice: &mut Dice, lead: &str, count| format!("{lead}{}", dice.digits(count));
    match kind {
        Phone if chinese && dice.often(8) => {
            let lead = dice.one(&["138", "139", "150", "177", "186", "199", "131", "155"]);
            rest(dice, lead, 8)
        }
        Phone if chinese => rest(dice, "0755", 8).replace("07550", "07558"),
        Phone if dice.often(5) => rest(dice, "07700", 6),
        Phone => {
            let lead = dice.one(&["415", "212", "646", "303"]);
            rest(dice, lead, 7)
        }
        Card if chinese && dice.often(5) => {
            let lead = dice.one(&["6222", "6217", "6228"]);
            rest(dice, lead, 15)
        }
        Card => {
            let lead = dice.one(&["4", "51", "62", "55"]);
            rest(dice, lead, 16 - lead.len())
        }
        NationalId => {
            let area = dice.one(&["110101", "440305", "310104", "510107"]);
            let (year, month, day) = (1950 + dice.below(55), 1 + dice.below(12), 1 + dice.below(28));
            format!("{area}{year}{month:02}{day:02}{}", dice.digits(4))
        }
        BankAccount => {
            let count = 8 + dice.below(4);
            dice.digits(count)
        }
        Cvv => dice.digits(3),
        _ => dice.digits(4),
    }
}

/// Sentences with the number's place as `{}`, in Chinese or in English.
pub(super) fn frames(kind: RedactedKind, chinese: bool) -> &'static [&'static str] {
    match (kind, chinese) {
        (Phone, true) => &[
            "我的电话是{}",
            "手机号{}谢谢",
            "您记一下，{}",
            "{}，您打这个就行",
            "打我这个号码{}吧",
            "嗯，{}。",
            "我换号了，现在是{}",
            "联系方式的话是{}，随时打",
            "留的是我爱人的，{}",
        ],
        (Phone, false) => &[
            "my number is {}",
            "You can reach me at {}.",
            "It's {}, thanks",
            "{}",
            "call me on {} please",
            "yeah so the phone number on file should be {}",
            "the best number is {} after work",
            "Sure. {}.",
        ],
        (Card, true) => &[
            "卡号是{}",
            "我的信用卡号{}",
            "{}，这是我的卡",
            "您好，银行卡号是{}，麻烦查一下",
            "嗯{}",
            "是建行的，{}",
        ],
        (Card, false) => &[
            "my card is {}",
            "The card number is {}.",
            "It's a Visa, {}",
            "{}",
            "okay the long number is {}",
            "charge it to {} please",
            "Sure, {}, that's the card",
        ],
        (NationalId, true) => {
            &["身份证号是{}", "我的身份证{}", "{}", "证件号码：{}", "好，{}，您核对一下", "身份证是{}没错"]
        }
        (NationalId, false) => &["my ID number is {}", "The Chinese ID is {}.", "it's {}", "national ID {}"],
        (BankAccount, true) => &["账号是{}", "我的银行账号{}", "转到账户{}", "户号是{}，您查一下"],
        (BankAccount, false) => &[
            "my account number is {}",
            "The account is {}.",
            "account number {}, please",
            "pay it into account {}",
        ],
        (Cvv, true) => &["安全码是{}", "背面三位数是{}", "CVV{}", "后面那个校验码是{}"],
        (Cvv, false) => {
            &["the security code is {}", "CVV is {}", "the three digits on the back are {}", "CVC {}"]
        }
        (PartialNumber, true) => {
            &["尾号{}", "尾号是{}的那张卡", "身份证后四位是{}", "手机尾号{}", "最后四位{}"]
        }
        (_, true) => &["后四位是{}", "末四位{}对吧"],
        (PartialNumber, false) => &[
            "the last four are {}",
            "card ending in {}",
            "it ends in {}",
            "last four digits, {}",
            "the last 4 of my social are {}",
        ],
        (_, false) => &["the last four digits are {}", "ending {}"],
    }
}

pub(super) const NUMBERS: [RedactedKind; 6] = [Phone, Card, NationalId, BankAccount, Cvv, PartialNumber];

/// A sentence around a place, what stands there and what that is.
pub(super) struct Said {
    pub(super) frame: String,
    pub(super) number: String,
    pub(super) kind: RedactedKind,
}

impl Said {
    pub(super) fn text(&self) -> String {
        self.frame.replace("{}", &self.number)
    }
}

/// One sentence with a number in this voice.
pub(super) fn said(voice: Voice, dice: &mut Dice) -> Said {
    let chinese = match voice {
        Voice::Written => dice.often(5),
        Voice::SpokenEn => false,
        Voice::SpokenZh => true,
    };
    if dice.below(8) == 0 {
        return named(voice, chinese, dice);
    }
    let kind = dice.one(&NUMBERS);
    let digits = number(kind, dice, chinese);
    let mut spoken = whole(&digits, voice, dice);
    if kind == NationalId && dice.often(2) {
        spoken.pop();
        let body = &digits[..17];
        spoken = format!("{}{}", whole(body, voice, dice), if voice == Voice::Written { "X" } else { " X" });
    }
    Said { frame: dice.one(frames(kind, chinese)).to_owned(), number: spoken, kind }
}

/// What is no mere number: mail, plates, birth dates.
fn named(voice: Voice, chinese: bool, dice: &mut Dice) -> Said {
    let (kind, frame, number) = match (voice, chinese, dice.below(3)) {
        (Voice::Written, true, 0) => (
            Email,
            "邮箱是{}，谢谢",
            dice.one(&["wang.li88@163.com", "12345@qq.com", "zhang_san@126.com.cn"]),
        ),
        (Voice::Written, true, 1) => (Plate, "车牌是{}", dice.one(&["粤B12345", "京A·88G66", "沪A D12345"])),
        (Voice::Written, true, _) => (
            BirthDate,
            "我的出生日期是{}",
            dice.one(&["1990年3月7日", "1985-12-01", "1978.6.15", "19900307"]),
        ),
        (Voice::Written, false, 0) => (
            Email,
            "write to {} please",
            dice.one(&["john.smith@gmail.com", "j_smith-82@mail.co.uk", "info99@x.io"]),
        ),
        (Voice::Written, false, 1) => {
            (Plate, "the plate is {}", dice.one(&["AB12 CDE", "7ABC123", "LK70 XYZ"]))
        }
        (Voice::Written, false, _) => (
            BirthDate,
            "my date of birth is {}",
            dice.one(&["03/07/1990", "7 March 1990", "March 7th, 1990", "1990-03-07", "07.03.1990"]),
        ),
        (_, true, 0) => (
            Email,
            "邮箱是{}，谢谢",
            dice.one(&[
                "wang点li艾特163点com",
                "zhang三二一艾特qq点com",
                "w a n g 艾特 gmail 点 com",
                "一三八八八艾特一六三点com",
            ]),
        ),
        (_, true, 1) => (
            Plate,
            "车牌是{}",
            dice.one(&["粤B一二三四五", "京A 八八 G 六六", "粤B幺二三四五", "沪A D 幺 两 三 四 五"]),
        ),
        (_, true, _) => (
            BirthDate,
            "我的生日是{}",
            dice.one(&[
                "一九九零年三月七号",
                "九零年三月七日",
                "一九八五年十二月一日",
                "八五年十月二十三",
                "三月十五",
            ]),
        ),
        (_, false, 0) => (
            Email,
            "it's {}, thanks",
            dice.one(&[
                "john dot smith at gmail dot com",
                "j underscore smith at outlook dot co dot uk",
                "mary ninety two at hotmail dot com",
                "s m i t h four four at yahoo dot com",
            ]),
        ),
        (_, false, 1) => (
            Plate,
            "the plate is {}",
            dice.one(&[
                "A B one two C D E",
                "AB twelve CDE",
                "L K seventy X Y Z",
                "seven A B C one two three",
            ]),
        ),
        (_, false, _) => (
            BirthDate,
            "my date of birth is {}",
            dice.one(&[
                "the seventh of March nineteen ninety",
                "March seventh, nineteen eighty-five",
                "the twenty-third of May, nineteen seventy eight",
                "twenty first of June two thousand and one",
                "seven three nineteen ninety",
                "oh seven oh three nineteen ninety",
                "the third of the fourth, eighty-two",
            ]),
        ),
    };
    Said { frame: frame.to_owned(), number: number.to_owned(), kind }
}
