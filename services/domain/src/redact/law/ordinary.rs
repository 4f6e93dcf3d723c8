//! Sentences with numbers that a reviewer has to read: `#` is a digit, `N` a spoken number of two places,
//! `D` a spoken digit.

use super::dice::Dice;

pub(super) const FRAMES: [&str; 110] = [
    "一共是##8元",
    "您的话费余额是#8.#5元",
    "本月账单12#4块5",
    "退款3#00元三到五个工作日到账",
    "打八五折之后是D百D十块",
    "优惠了百分之二十",
    "下降了#5%",
    "套餐是1#9元一个月",
    "畅享5G套餐128档",
    "我买了D个，坏了D个",
    "大概等了D十分钟",
    "等了D个小时了",
    "明天上午9点#0来",
    "下午三点半到五点",
    "订单号是2026112#4456#",
    "订单编号 88#2#31#4#76#",
    "您的工单号是GD2026#12#0#1",
    "快递单号是SF1#4432#9876#1",
    "物流单号773#21#4567#12",
    "工号10#4为您服务",
    "工号一零D四为您服务",
    "我是客服#024#",
    "在2026年11月1#日之前",
    "二零二六年十一月二十D日",
    "2#楼没有信号",
    "流量用了1#.5个G",
    "一共D万D千D百块",
    "首付D万",
    "我有两张卡",
    "等一会儿",
    "过两天再打",
    "三四个人",
    "一两次就算了",
    "五六百块钱",
    "十一放假",
    "我说了一百遍了",
    "航班CA1#21延误",
    "MU5#0#起飞",
    "D十D度的水",
    "年利率3.#5%",
    "分12期，每期2#5.33元",
    "第D排第D个",
    "一百二十D个赞",
    "二三十块钱的事",
    "我们是7乘24小时服务",
    "拨打10086转D",
    "客服电话是95588",
    "2024年和2025年都交了",
    "满300减#0，满500减100",
    "扣了我两次，一次3#块，一次1#8块",
    "流水号是2026#1#3000#12",
    "That comes to #4.99 dollars",
    "it's N dollars and N cents",
    "You have D lines on this plan",
    "for two reasons",
    "one moment please",
    "Just one second",
    "I have two lines",
    "order number 4#82#176#",
    "Your order is 10#44#2#1",
    "the case number is 88#1203#4",
    "ticket number is 5#6#12",
    "the tracking number is 1#23456#8901",
    "tracking number D D four D two nine D D one D",
    "reference number is AB#4#23#6",
    "my order number is four D two D nine D D one",
    "agent ID 10#44",
    "my employee number is 10#4567#",
    "the agent id is one D four D",
    "It takes five to seven business days",
    "between N and N percent",
    "a N percent discount",
    "twenty twenty-D was bad",
    "since two thousand and D",
    "on the D of November twenty twenty-six",
    "at ten thirty on Monday",
    "from nine to five thirty",
    "I waited N minutes and called D times",
    "flight BA#4#1",
    "flight two D four",
    "the Unlimited #0 plan",
    "D hundred and N dollars",
    "one thousand two hundred and N dollars",
    "three hundred N thousand people",
    "about 1#00 points",
    "you have 12#4567 points",
    "your bill is 1,2#4.50",
    "$#5.99 a month",
    "call 911 or dial 0800 111 222",
    "no one told me",
    "that one is better",
    "I called three times in two weeks",
    "the contract ends in 202#",
    "it ends on December 1#, 2026",
    "give me one good reason",
    "the second one",
    "one or two of them",
    "we're open 24/7",
    "it was 10:#5 on 2026-11-1#",
    "room for one more",
    "D out of ten",
    "a couple of hundred",
    "oh, one more thing",
    "oh two of them broke",
    "N N N was the score",
    "in the last four weeks",
    "over the last three months I paid 2#0",
    "step one, step two, step three",
    "I paid N fifty for it",
    "the work order is 7#41#2#6",
];

const TENS: [&str; 8] =
    ["twelve", "twenty", "thirty-four", "forty", "fifty five", "sixty-one", "eighty", "ninety nine"];

pub(super) fn said(dice: &mut Dice) -> String {
    let frame = dice.one(&FRAMES);
    let chinese = !frame.is_ascii();
    let mut text = String::new();
    let mut chars = frame.chars().peekable();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        let alone =
            !before.is_ascii_alphanumeric() && chars.peek().is_none_or(|c| !c.is_ascii_alphanumeric());
        match c {
            '#' => text.push(dice.one(&['1', '2', '3', '4', '6', '7', '8', '9'])),
            'D' if alone && chinese => text.push(dice.one(&['二', '三', '四', '五', '六', '七', '八'])),
            'D' if alone => {
                text.push_str(dice.one(&["two", "three", "four", "five", "seven", "eight", "nine"]))
            }
            'N' if alone => text.push_str(dice.one(&TENS)),
            _ => text.push(c),
        }
        before = c;
    }
    text
}
