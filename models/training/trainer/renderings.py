"""The same dialogue as a recogniser might write it: no punctuation, misheard words, other cuts.

Every change is drawn from the dialogue's id, so that a run can be repeated."""
import random
import re
from dataclasses import replace

from contract import MARKED
from dialogues import turns

# How often a listed slip happens where it can; two out of five makes texts that are worse than most.
SLIP_SHARE = 0.4
# Lone characters slip less often: their table is made of very common ones.
CHARACTER_SHARE = 0.06
JOIN_SHARE = 0.5

# Near-homophones that Whisper's small models write in Mandarin calls.
WORD_SLIPS = {
    "致电": ["制定", "之电"], "客服": ["客户", "可服"], "工号": ["公号", "功号"], "核实": ["何时", "和时"],
    "核对": ["和对"], "稍等": ["少等", "烧等"], "久等": ["就等"], "账单": ["帐单"], "账户": ["帐户", "账号"],
    "转接": ["转截"], "投诉": ["头诉", "投宿"], "套餐": ["套参"], "挂机": ["挂鸡", "卦机"], "评价": ["平价"],
    "满意": ["满一"], "抱歉": ["报歉"], "不好意思": ["不好意是"], "谢谢": ["写写"], "再见": ["在见"],
    "退款": ["推款"], "工单": ["公单"], "升级": ["生级"], "主管": ["主馆"], "领导": ["领到"],
    "为您服务": ["为你服务", "位您服务"], "请讲": ["请奖"], "请问": ["请文"], "麻烦": ["麻凡"], "理解": ["里解"],
    "打扰": ["打搅"], "反馈": ["反溃"], "登记": ["登机"], "预约": ["预月"], "师傅": ["师父"], "祝您": ["住您", "祝你"],
    "生活愉快": ["生活于快"], "余额": ["鱼额"], "身份证": ["身分证"], "验证": ["验政"], "姓名": ["性名"], "机主": ["积主"],
}
CHARACTER_SLIPS = {
    "您": "你", "的": "得", "得": "的", "在": "再", "再": "在", "那": "哪", "吗": "嘛", "他": "她", "做": "作", "是": "事",
    "账": "帐", "像": "象", "以": "已", "有": "又", "这": "着", "给": "几", "您好": "你好", "和": "合", "行": "型", "里": "理",
    "号": "好", "办": "半", "机": "鸡", "查": "茶", "单": "担", "费": "非", "到": "道", "就": "旧", "会": "回", "没": "每",
}
DIGITS = str.maketrans("零幺一二三四五六七八九", "01123456789")
ENGLISH_SLIPS = {
    "you're": ["your"], "your": ["you're"], "it's": ["its"], "i'm": ["im", "i am"], "there": ["their"],
    "we're": ["were"], "i'll": ["all", "i will"], "that's": ["that is", "thats"], "to": ["two"], "for": ["four"],
    "hold": ["old"], "wait": ["weight"], "right": ["write"], "survey": ["serve a"], "representative": ["representatives"],
    "supervisor": ["super visor"], "calling": ["call in"], "account": ["a count"], "apologise": ["apologize"],
    "um": [""], "uh": [""], "er": [""],
}


def written(dialogue):
    return dialogue


def bare(dialogue):
    """No punctuation, lower case."""
    return dialogue.with_texts(_stripped)


def slipped(dialogue):
    """As `bare`, with words misheard."""
    dice = random.Random(f"slips:{dialogue.id}")
    change = _mandarin if dialogue.lang == "zh" else _english
    return dialogue.with_texts(lambda text: change(_stripped(text), dice))


def joined(dialogue):
    """Some neighbouring utterances of one turn made one, as where a speaker makes no pause."""
    dice = random.Random(f"join:{dialogue.id}")
    merged, last = list(dialogue.utterances), {}
    for turn in turns(dialogue.utterances):
        keep = turn[0]
        for index in turn[1:]:
            if index == last.get(keep, keep) + 1 and dice.random() < JOIN_SHARE:
                merged[keep], merged[index] = _one(merged[keep], merged[index]), None
                last[keep] = index
            else:
                keep = index
    return replace(dialogue, utterances=tuple(filter(None, merged)))


def cut(dialogue):
    """Sentences on their own, as the worker hears them, where nothing is said that has a label: of
    others nobody knows which sentence has it."""
    sentences = []
    for utterance in dialogue.utterances:
        plain = utterance.labels <= {"neutral"}
        parts = re.findall(r"[^。？！.?!]+[。？！.?!]*", utterance.text) if plain else []
        parts = [part.strip() for part in parts if any(c.isalnum() for c in part)]
        sentences += [replace(utterance, text=part) for part in parts or [utterance.text]]
    return replace(dialogue, utterances=tuple(sentences))


RENDERINGS = {"written": written, "bare": bare, "slipped": slipped, "joined": joined, "cut": cut}


def _one(first, second):
    labels = first.labels | second.labels
    manner = max((label for label in labels if label in MARKED), key=MARKED.index, default=None)
    labels = {label for label in labels if label not in MARKED or label == manner}
    return replace(first, text=f"{first.text} {second.text}", labels=frozenset(labels))


def _stripped(text):
    """Marks of redaction (`[phone]`) and apostrophes stay: they are no punctuation of a recogniser's."""
    text = re.sub(r"(?<=\w)['’](?=\w)", "'", text.lower())
    text = re.sub(r"[^\w\s\[\]']|(?<!\w)'|'(?!\w)", " ", text)
    return " ".join(text.split())


def _mandarin(text, dice):
    for word, slips in WORD_SLIPS.items():
        if word in text and dice.random() < SLIP_SHARE:
            text = text.replace(word, dice.choice(slips))
    text = "".join(CHARACTER_SLIPS.get(c, c) if dice.random() < CHARACTER_SHARE else c for c in text)
    # Recognisers write digits for numbers read out one by one, and mostly no spaces.
    text = re.sub("[零幺一二三四五六七八九]{3,}", lambda run: run.group().translate(DIGITS), text)
    return re.sub(r"(?<=[^\x00-\x7f]) (?=[^\x00-\x7f])", "", text) if dice.random() < 0.5 else text


def _english(text, dice):
    words = []
    for word in text.split():
        slips = ENGLISH_SLIPS.get(word)
        words.append(dice.choice(slips) if slips and dice.random() < SLIP_SHARE else word)
    return " ".join(filter(None, words))
