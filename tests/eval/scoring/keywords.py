"""What a list of words finds: the baseline that a classifier must beat to be worth its cost."""
import re

WORDS = {
    "rude": "有病|白痴|傻|笨|脑子|神经病|滚|闭嘴|不要脸|stupid|idiot|moron|shut up|dumb|thick|pathetic|loser",
    "dismissive": "跟您说过|跟你说过|随便|爱信不信|听不懂|自己看|不归我|快点|like i said|whatever|not my problem|already told you|calm down|your choice",
    "courteous": "谢谢|感谢|麻烦您|抱歉|不好意思|很高兴|祝您|请您放心|thank|please|sorry|apolog|happy to|glad|welcome|appreciate",
    "states_issue": "怎么|坏了|不能|没有收到|我想|我要|用不了|有问题|doesn't work|not working|i want|i'd like|i need|problem|issue|broken|hasn't",
    "repeat_contact": "上次|之前打|打过|又打|第三次|第二次|again|last time|already called|third time|second time|called before",
    "explains": "因为|由于|规定|所以|需要先|按照|because|policy|due to|the reason|since|you need to",
    "offers_solution": "我帮您|给您办|给您退|可以为您|我给您|i can|i'll|we can|let me|refund|replace",
    "rejects_explanation": "不接受|不行|不同意|凭什么|不合理|那不是|don't accept|not good enough|that's not|makes no sense|no way",
    "confirms_resolved": "好了|可以了|解决了|行了|恢复了|明白了|works now|that's fixed|sorted|all good|perfect|working now",
    "says_unresolved": "还是不行|还是没|没解决|没用|依然|still not|still doesn't|same problem|no change|didn't work",
    "promises_callback": "回电|回复您|联系您|打给您|call you back|get back to you|be in touch|follow up",
    "escalates": "主管|领导|经理|升级|投诉专员|supervisor|manager|escalat|team lead|second line",
    "dissatisfied": "太差|失望|生气|气死|垃圾|骗|ridiculous|disappointed|terrible|awful|unacceptable|fed up|joke",
    "threatens_escalation": "12315|工信部|媒体|律师|法院|曝光|银保监|ombudsman|lawyer|court|regulator|twitter|social media|press",
    "asks_supervisor": "找你们领导|叫你们主管|我要投诉|经理接|speak to your manager|supervisor|make a complaint|your manager",
    "asks_identification": "你叫什么|工号多少|你的工号|贵姓|your name|who am i speaking|agent number|badge",
    "nothing_more": "没有了|没了|没别的|nothing else|that's all|that's it|no that's everything",
    "greeting": "您好|你好|欢迎致电|早上好|下午好|hello|good morning|good afternoon|welcome to|thank you for calling",
    "self_identification": "工号|我是.{0,6}号|我姓|免贵|my name is|this is \\w+ speaking|agent \\w+|you're speaking with",
    "identity_verification": "身份证|核实.{0,4}身份|后四位|密码|出生日期|验证码|date of birth|verify|last four|security question|postcode",
    "hold_request": "请稍等|稍等|等一下|别挂机|hold on|one moment|bear with me|please hold|just a second",
    "hold_return": "久等|感谢.{0,4}等待|thanks for holding|thank you for waiting|sorry for the wait|for your patience",
    "empathy_apology": "抱歉|对不起|理解您|非常理解|sorry to hear|i apologi|i understand how|so sorry",
    "anything_else": "还有什么|还有其他|别的问题|anything else|something else i can",
    "survey_invitation": "评价|满意度|打分|五星|survey|rate|feedback",
    "closing": "祝您|再见|感谢您的来电|goodbye|have a (great|good|nice)|take care|thanks for calling",
    "discloses_account_data": "余额|账单|消费了|欠费|额度|your balance|your account shows|your bill|you have \\w+ on",
    "blame_shifting": "不归|不是我们|找.{1,6}去|您自己|not our|not my department|your own fault|take it up with",
    "refuses_identification": "不方便透露|不能告诉你|没必要知道|can't give|don't give out|not allowed to give my",
    "improper_promise": "保证|肯定没问题|私下|别投诉|百分之百|guarantee|between you and me|drop the complaint|off the record",
}
PATTERNS = {label: re.compile(words, re.IGNORECASE) for label, words in WORDS.items()}

# How warm a politeness label is.
WARMTH = {"rude": -2, "dismissive": -1, "neutral": 0, "courteous": 1}


def found(label, text):
    return bool(PATTERNS[label].search(text))


def politeness(text):
    return next((label for label in ("rude", "dismissive", "courteous") if found(label, text)), "neutral")
