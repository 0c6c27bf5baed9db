"""What replaces what: a list that was written before the rules and kept apart, and the laws of a replacement."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.m3.succession import Statement, claims, find_successions, succeeds

START = datetime(2026, 3, 1, tzinfo=UTC)

ENGLISH_SUCCESSIONS = """
I live in Lisbon. | I moved to Porto last month.
We live at 14 Mill Road. | Our new address is 3 Station Street.
I work for Siemens as a tester. | I left Siemens; since March I work for Bosch.
I'm a junior developer. | I got promoted to senior developer.
My manager is Dana. | My new manager is Priya.
My boss is Kim | Since the reorganisation my boss is Lee
User's phone number is 555-0101. | User changed their phone number to 555-0199.
My email is jo@old.org | My email address is now jo@new.org
I drive a Honda Civic. | I sold the Civic and bought a Mazda.
I'm dating Sam. | Sam and I broke up.
I am engaged to Laura. | Laura and I got married in June.
I'm 34 years old. | I turned 35 yesterday.
My favourite colour is green. | These days my favourite colour is orange.
My favorite restaurant is Luigi's | My favorite restaurant is Sakura now
The wifi password is tulip77. | We changed the wifi password to daisy88.
The budget for the kitchen is 5000 euros. | The kitchen budget is 6500 euros.
The launch is on 9 May. | The launch has been moved to 16 May.
The standup is at 9:30. | Standup is at 10:00 from now on.
The meeting with Acme is on Tuesday. | The meeting with Acme was postponed to Thursday.
The deadline is Friday. | The deadline was pushed back to Monday.
My dentist appointment is on Monday at 3 pm. | My dentist appointment was rescheduled to Wednesday at 3 pm.
The party takes place at Ann's house. | The party is at the town hall instead of Ann's house.
The rent is 1200 a month. | The rent went up to 1350.
The ticket costs 40 dollars. | The ticket now costs 55 dollars.
The status of ticket 42 is open. | The status of ticket 42 is closed.
The current version is 2.3. | The current version is 2.4.
We use MySQL in production. | We migrated from MySQL to PostgreSQL.
The owner of the billing service is Tom. | Nina took over the billing service from Tom.
My doctor is Dr. Patel. | I switched to a new doctor, Dr. Gomez.
My son goes to Hillside School. | My son changed schools: he goes to Oakwood School now.
I'm on the basic plan. | I upgraded to the premium plan.
I'm a vegetarian. | I'm no longer a vegetarian.
I like coffee. | I don't like coffee anymore.
I drink coffee every morning. | I stopped drinking coffee.
I smoke. | I quit smoking.
I play tennis on Sundays. | I no longer play tennis.
I use Notion for my notes. | I switched from Notion to Obsidian.
I have a gym membership. | I cancelled my gym membership.
Ann: I live in Leeds. | Ann: I've moved to York!
Ben: my job is teaching maths | Ben: I quit my job
Alice works at Google. | Alice now works at Meta.
Alice lives in Rome with her sister. | Alice has relocated to Milan.
User lives in Boston. | User moved from Boston to Denver.
The user prefers dark mode. | The user prefers light mode now.
The API key rotates every 30 days. | The API key no longer rotates every 30 days.
Project lead: Omar | Project lead is now Yuki
The team's name is Falcon. | The team's name was changed to Osprey.
My cat's name is Tom. | We renamed my cat; my cat's name is Felix now.
I take the bus to work. | I take the train to work now.
I wake up at 6. | I wake up at 7 now.
The spare key is under the mat. | The spare key is now in the shed.
The office is on the third floor. | The office moved to the fifth floor.
The conference takes place in Vienna. | The conference will be in Prague instead of Vienna.
Our CEO is Maria Lopez. | Our CEO is John Smith.
The port is 8080. | The port was changed from 8080 to 9090.
My salary is 50k. | My salary was raised to 58k.
I study physics at Leiden. | I switched my major to chemistry.
The flight leaves at 14:10. | The flight now leaves at 15:40.
I'm married to Chris. | Chris and I got divorced.
I live with my parents. | I moved out of my parents' place.
My bank is Barclays. | I changed my bank to Monzo.
The interview is scheduled for 3 June. | The interview is scheduled for 10 June.
The release date is September 1. | The release date is October 1.
We meet on Mondays. | We meet on Tuesdays now.
Emma is my roommate. | My roommate is Olivia now.
My weight is 82 kg | My weight is 78 kg
I work as a nurse. | I retired last week.
I'm unemployed. | I started a new job at Lidl.
I have a dog. | We don't have a dog anymore.
The default branch is master. | The default branch is main instead of master.
"""
ENGLISH_OTHERS = """
I live in Lisbon. | I visited Porto last month.
I live in Lisbon. | I might move to Porto next year.
I live in Lisbon. | My sister moved to Porto.
I live in Lisbon. | Should I move to Porto?
I live in Lisbon. | I'm thinking about moving to Porto.
I live in Lisbon. | If I moved to Porto, I'd miss the sea.
I live in Lisbon. | I love Lisbon.
I live in Lisbon. | I have lived in Lisbon for ten years.
I live in Lisbon. | I used to live in Porto.
I live in Lisbon. | I grew up in Porto.
I live in Lisbon. | I want to live in Porto one day.
I live in Lisbon. | I wish I lived in Porto.
I live in Lisbon. | Ann: I live in Porto.
Ann: I live in Leeds. | Ben: I moved to York!
Ann: I live in Leeds. | Ann: Ben moved to York.
Ann: I live in Leeds. | Ann: my brother lives in York.
I live in Lisbon | I live in Lisbon, Portugal
I live in a small flat. | I live in Lisbon.
I live in Lisbon. | We're staying in Porto this week.
I work for Siemens. | I have an interview at Bosch.
I work for Siemens. | I used to work for Bosch.
I work for Siemens. | My wife works for Bosch.
I work for Siemens. | Bosch offered me a job.
I work for Siemens. | I work as an engineer.
I work at Siemens. | I work from home on Fridays.
I work at Siemens. | I work at weekends too.
My manager is Dana. | My manager is on vacation.
My manager is Dana. | My manager is very strict.
My manager is Dana. | Tom's manager is Priya.
My phone number is 555-0101. | My work phone number is 555-0199.
My phone number is 555-0101. | I also have a second phone number, 555-0199.
My phone number is 555-0101. | Mum's phone number is 555-0199.
I drive a Honda Civic. | I rented a Mazda for the trip.
I drive a Honda Civic. | My Honda needs new tyres.
I have a dog. | I have a cat.
I have two cats. | My neighbour has three cats.
I like coffee. | I like tea.
I like coffee. | I also like tea.
I like coffee. | I don't like tea.
I like coffee. | My brother doesn't like coffee.
I like coffee. | I no longer like tea.
I like coffee. | I don't drink coffee after 5 pm.
I like coffee. | The coffee is cold.
I like coffee. | Do you still like coffee?
I speak French. | I speak German.
My hobby is chess. | My hobby is painting.
My favourite colour is green. | My favourite food is pasta.
My favourite colour is green. | Ann's favourite colour is orange.
My favourite colour is green. | My favourite colour used to be orange.
One of my favourite films is Alien. | One of my favourite films is Heat.
My son is Max. | My daughter is Mia.
My daughter is Mia. | My daughter is sick today.
My friend is Max. | My friend is Leo.
My sister is a doctor. | My brother is a lawyer.
I'm a doctor. | I'm a bit tired.
I'm a doctor. | I'm a big fan of jazz.
I'm 34 years old. | My brother is 35.
I'm 34 years old. | It is 35 degrees outside.
The launch is on 9 May. | The launch is in Berlin.
The launch is on 9 May. | The launch party is on 16 May.
The launch is on 9 May. | The launch might be moved to 16 May.
The launch is on 9 May. | The launch is at 9 am.
The launch is on 9 May. | The launch went well.
The launch is on 9 May. | Is the launch on 16 May?
The meeting is on Tuesday. | The dinner is on Thursday.
The meeting with Acme is on Tuesday. | The meeting with Bolt is on Thursday.
The meeting is on Tuesday. | The meeting is at 3 pm.
The meeting is on Tuesday. | The meeting was boring.
The meeting is on Tuesday. | We had a meeting on Thursday.
The deadline for the report is Friday. | The deadline for the slides is Monday.
The budget for the kitchen is 5000. | The budget for the bathroom is 3000.
The budget is 5000. | The budget is tight.
The rent is 1200. | The deposit is 2400.
The ticket costs 40 dollars. | The hotel costs 90 dollars.
The status of ticket 42 is open. | The status of ticket 43 is closed.
Version 2.3 has a bug. | Version 2.4 has no bug.
The car is red. | The car is fast.
The car is in the garage. | The car is a Honda.
My flat is small. | My flat is on the third floor.
Tom is tall. | Tom is funny.
Tom is my cousin. | Tom is a plumber.
I went to Paris. | I went to Rome.
I've been to Japan. | I've been to Korea.
I bought a bike. | I bought a book.
I read Dune. | I read Emma.
I'm reading Dune. | I love reading.
I play tennis. | I play chess.
I play tennis. | I no longer play chess.
I use Notion for my notes. | I use Obsidian for my diary.
I use Python. | I use Rust.
I wake up at 6. | I go to bed at 10.
I'm allergic to nuts. | I'm allergic to shellfish.
I'm allergic to nuts. | I forgot my nuts.
I'm dating Sam. | Sam and I went to the movies.
I'm dating Sam. | Kim and Lee broke up.
My email is jo@old.org. | Please send it to my email.
My email is jo@old.org. | Her email is li@new.org.
The wifi password is tulip77. | The laptop password is daisy88.
The wifi password is tulip77. | I forgot the wifi password.
Ann said she lives in Paris. | Ann said she likes Rome.
Tom told me that he moved to Rome. | I heard he may move back to Paris.
I live in Lisbon. | My friend told me she moved to Porto.
I live in Lisbon. | Imagine I lived in Porto.
The doctor said the tests are fine. | The doctor said to rest.
I am going to the gym. | I am going to the shop.
I'm at the airport. | I'm at the office.
I'm in a good mood. | I'm in a hurry.
I moved the chair to the kitchen. | I moved to the sofa.
My favourite part was the music. | My favourite part was the food.
Thanks, my day is great. | My day is busy.
My goal is to run a marathon. | My goal is to learn Spanish.
My plan is to study. | My plan is to rest today.
The key is heavy. | The key is in the drawer.
Python is a language. | Python is popular.
I started a pottery class. | I started a new book.
I'm learning Spanish. | I'm learning the guitar.
"""
CHINESE_SUCCESSIONS = """
我住在北京。 | 我上个月搬到上海了。
我家住在人民路14号。 | 我家的新地址是建设路3号。
我在腾讯工作。 | 我从腾讯离职了，现在在字节跳动上班。
我是初级工程师。 | 我升职为高级工程师了。
我的经理是王丽。 | 我的经理换成李强了。
我老板是老陈 | 现在我老板是老刘
我的手机号是13800000001。 | 我的手机号改成13900000002了。
我的邮箱是a@old.com | 我的邮箱换成a@new.com了
我开一辆本田。 | 我把本田卖了，买了一辆特斯拉。
我的女朋友是小美。 | 我和小美分手了。
我单身。 | 我有女朋友了，她叫小芳。
我今年34岁。 | 我今年35岁了。
我最喜欢的颜色是绿色。 | 现在我最喜欢的颜色是橙色。
我最喜欢的餐厅是海底捞 | 我最喜欢的餐厅是西贝
wifi密码是tulip77。 | wifi密码改成daisy88了。
厨房装修的预算是5万元。 | 厨房装修的预算增加到6万元。
发布会定在5月9日。 | 发布会改到5月16日了。
早会是九点半。 | 早会改到十点。
和客户的会议在周二。 | 和客户的会议推迟到周四了。
截止日期是周五。 | 截止日期延到下周一了。
我的牙医预约在周一下午3点。 | 我的牙医预约改到周三下午3点。
聚会在小李家。 | 聚会地点改在公园了。
房租每月3000元。 | 房租涨到3500元了。
门票40元。 | 门票现在55元了。
42号工单的状态是处理中。 | 42号工单的状态是已关闭。
当前版本是2.3。 | 当前版本是2.4。
我们用MySQL。 | 我们从MySQL换到PostgreSQL了。
计费系统的负责人是小王。 | 计费系统的负责人换成小赵了。
我的医生是张大夫。 | 我换了医生，现在的医生是刘大夫。
我儿子在实验小学上学。 | 我儿子转学到育才小学了。
我用的是基础套餐。 | 我升级到高级套餐了。
我吃素。 | 我不再吃素了。
我喜欢喝咖啡。 | 我不喜欢喝咖啡了。
我每天喝咖啡。 | 我已经不喝咖啡了。
我抽烟。 | 我戒烟了。
我打网球。 | 我不打网球了。
我用印象笔记记笔记。 | 我从印象笔记换成了Obsidian。
我办了健身卡。 | 我把健身卡退了。
小王：我住在杭州。 | 小王：我搬到苏州了！
小李：我在医院上班 | 小李：我辞职了
张伟在阿里工作。 | 张伟现在在美团工作。
张伟住在成都。 | 张伟搬去重庆了。
用户住在广州。 | 用户从广州搬到了深圳。
用户偏好深色模式。 | 用户现在偏好浅色模式。
项目负责人：小周 | 项目负责人改为小吴
团队的名字叫猎鹰。 | 团队的名字改成鱼鹰了。
我的猫叫汤姆。 | 我的猫改名叫菲菲了。
我坐公交上班。 | 我现在坐地铁上班。
我每天六点起床。 | 我现在每天七点起床。
备用钥匙在地毯下面。 | 备用钥匙现在放在鞋柜里。
办公室在三楼。 | 办公室搬到五楼了。
会议在维也纳举行。 | 会议改在布拉格举行。
我们公司的CEO是马丽。 | 我们公司的CEO是约翰。
端口是8080。 | 端口从8080改成9090了。
我的工资是1万。 | 我的工资涨到1万2了。
我的专业是物理。 | 我转专业了，现在的专业是化学。
航班14:10起飞。 | 航班改为15:40起飞。
我和阿强结婚了。 | 我和阿强离婚了。
我的银行是招商银行。 | 我的银行换成工商银行了。
面试时间是6月3日。 | 面试时间是6月10日。
我们每周一开例会。 | 例会改到每周二了。
我的室友是小琳。 | 我的室友现在是小玉。
我的体重是82公斤 | 我的体重是78公斤
我是护士。 | 我退休了。
我有一只狗。 | 我不养狗了。
默认分支是master。 | 默认分支现在是main，不是master。
周六的聚餐在七点。 | 周六的聚餐取消了。
我喜欢打篮球。 | 我现在讨厌打篮球。
我在学法语。 | 我不学法语了。
我订阅了网飞。 | 我取消了网飞的订阅。
"""
CHINESE_OTHERS = """
我住在北京。 | 我上个月去了上海。
我住在北京。 | 我可能会搬到上海。
我住在北京。 | 我妹妹搬到上海了。
我住在北京。 | 我要不要搬到上海？
我住在北京。 | 我打算搬到上海。
我住在北京。 | 如果我搬到上海，会想念胡同。
我住在北京。 | 我很喜欢北京。
我住在北京。 | 我在北京住了十年。
我住在北京。 | 我以前住在上海。
我住在北京。 | 我在上海长大。
我住在北京。 | 我想住在上海。
我住在北京。 | 真希望我住在上海。
我住在北京。 | 小王：我住在上海。
小王：我住在杭州。 | 小李：我搬到苏州了！
小王：我住在杭州。 | 小王：我哥哥住在苏州。
小王：我住在杭州。 | 小王：小李搬到苏州了。
我住在北京 | 我住在北京朝阳区
我住在北京。 | 我这周在上海出差。
我住在北京。 | 你住在上海吗
我在腾讯工作。 | 我在字节跳动有个面试。
我在腾讯工作。 | 我以前在字节跳动工作。
我在腾讯工作。 | 我老婆在字节跳动工作。
我在腾讯工作。 | 字节跳动给我发了offer。
我在腾讯工作。 | 我是工程师。
我在腾讯工作。 | 我周五在家工作。
我的经理是王丽。 | 我的经理休假了。
我的经理是王丽。 | 我的经理很严格。
我的经理是王丽。 | 小张的经理是李强。
我的手机号是13800000001。 | 我的工作手机号是13900000002。
我的手机号是13800000001。 | 我还有一个手机号是13900000002。
我的手机号是13800000001。 | 妈妈的手机号是13900000002。
我开本田。 | 我租了一辆马自达去旅行。
我开本田。 | 我的本田要换轮胎了。
我有一只狗。 | 我有一只猫。
我有两只猫。 | 邻居有三只猫。
我喜欢咖啡。 | 我喜欢茶。
我喜欢咖啡。 | 我也喜欢茶。
我喜欢咖啡。 | 我不喜欢茶。
我喜欢咖啡。 | 我弟弟不喜欢咖啡。
我喜欢咖啡。 | 我不喝茶了。
我喜欢喝咖啡。 | 我下午五点以后不喝咖啡。
我喜欢咖啡。 | 咖啡凉了。
我喜欢咖啡。 | 你还喜欢咖啡吗？
我会说法语。 | 我会说德语。
我的爱好是下棋。 | 我的爱好是画画。
我最喜欢的颜色是绿色。 | 我最喜欢的食物是面条。
我最喜欢的颜色是绿色。 | 小美最喜欢的颜色是橙色。
我最喜欢的颜色是绿色。 | 我以前最喜欢的颜色是橙色。
我儿子叫小明。 | 我女儿叫小红。
我女儿叫小红。 | 我女儿今天病了。
我朋友叫小明。 | 我朋友叫小刚。
我姐姐是医生。 | 我哥哥是律师。
我是医生。 | 我是个乐观的人。
我是医生。 | 我是第一次来这里。
我今年34岁。 | 我弟弟今年35岁。
我今年34岁。 | 今天35度。
发布会定在5月9日。 | 发布会在北京举行。
发布会定在5月9日。 | 庆功宴定在5月16日。
发布会定在5月9日。 | 发布会可能改到5月16日。
发布会定在5月9日。 | 发布会上午九点开始。
发布会定在5月9日。 | 发布会很成功。
发布会定在5月9日。 | 发布会是5月16日吗？
会议在周二。 | 聚餐在周四。
和客户的会议在周二。 | 和供应商的会议在周四。
会议在周二。 | 会议是下午三点。
会议在周二。 | 会议很无聊。
报告的截止日期是周五。 | 幻灯片的截止日期是周一。
厨房的预算是5万元。 | 浴室的预算是3万元。
预算是5万元。 | 预算很紧张。
房租每月3000元。 | 押金6000元。
门票40元。 | 酒店90元。
42号工单的状态是处理中。 | 43号工单的状态是已关闭。
2.3版本有个bug。 | 2.4版本没有bug。
车是红色的。 | 车是新的。
车在车库里。 | 车是本田的。
我的房子很小。 | 我的房子在三楼。
小王很高。 | 小王很幽默。
小王是我表哥。 | 小王是水管工。
我去过巴黎。 | 我去过罗马。
我去了日本。 | 我去了韩国。
我买了一辆自行车。 | 我买了一本书。
我读了三体。 | 我读了活着。
我打网球。 | 我下棋。
我打网球。 | 我不打篮球了。
我用Python。 | 我用Rust。
我用印象笔记记笔记。 | 我用手机拍照。
我每天六点起床。 | 我每天十点睡觉。
我对花生过敏。 | 我对海鲜过敏。
我对花生过敏。 | 我忘了带花生。
我女朋友是小美。 | 我和小美去看了电影。
我女朋友是小美。 | 小刚和小丽分手了。
我的邮箱是a@old.com。 | 请发到我的邮箱。
我的邮箱是a@old.com。 | 她的邮箱是b@new.com。
wifi密码是tulip77。 | 电脑密码是daisy88。
wifi密码是tulip77。 | 我忘了wifi密码。
小王说他住在巴黎。 | 小王说他喜欢罗马。
我住在北京。 | 朋友告诉我她搬到上海了。
我住在北京。 | 听说老张搬到上海了。
医生说检查没问题。 | 医生说要多休息。
我要去健身房。 | 我要去超市。
我在机场。 | 我在办公室。
我把椅子搬到厨房了。 | 我把桌子搬到阳台了。
我住在北京。 | 我把椅子搬到阳台了。
我最喜欢的部分是音乐。 | 我最喜欢的部分是美食。
我今天很开心。 | 我今天很累。
我的目标是跑马拉松。 | 我的目标是学西班牙语。
我的计划是学习。 | 我的计划是今天休息。
钥匙很重。 | 钥匙在抽屉里。
Python是一门语言。 | Python很流行。
我在学西班牙语。 | 我在学吉他。
我报名了陶艺班。 | 我报名了瑜伽班。
我喜欢猫。 | 我不喜欢下雨天。
"""
HELD_BACK = [
    (ENGLISH_SUCCESSIONS, ENGLISH_OTHERS),
    (CHINESE_SUCCESSIONS, CHINESE_OTHERS),
]


def pairs(block: str) -> list[tuple[str, str]]:
    """Return the earlier and the later statement of each line."""
    split = (line.split(" | ") for line in block.strip().splitlines())
    return [(old.strip(), new.strip()) for old, new in split]


def told(*texts: str, hint: str | None = None) -> list[Statement]:
    """Return statements a day apart, called by their places."""
    return [Statement(str(i), text, START + timedelta(days=i), i, hint) for i, text in enumerate(texts)]


def replaced(*texts: str, hint: str | None = None) -> list[tuple[str, str]]:
    """Return which places were replaced by which."""
    return [(each.old, each.new) for each in find_successions(told(*texts, hint=hint))]


def reason(old: str, new: str) -> str | None:
    """Return why the later statement holds in the earlier one's place."""
    return succeeds(claims(new), claims(old))


@pytest.mark.parametrize(("successions", "others"), HELD_BACK, ids=["english", "chinese"])
def test_most_successions_of_the_list_kept_apart_are_found_and_hardly_any_other(successions: str, others: str) -> None:
    """At least 94 % of the successions; at most 2 % of over a hundred pairs that look like one."""
    found = [bool(replaced(old, new)) for old, new in pairs(successions)]
    wrong = [(old, new) for old, new in pairs(others) if replaced(old, new)]
    assert len(found) >= 60
    assert len(pairs(others)) >= 100
    assert sum(found) / len(found) >= 0.94
    assert len(wrong) <= 0.02 * len(pairs(others)), wrong


@pytest.mark.parametrize(("successions", "others"), HELD_BACK, ids=["english", "chinese"])
def test_no_statement_of_the_list_replaces_itself_said_again(successions: str, others: str) -> None:
    """Repeating a statement changes nothing."""
    for statement in {text for block in (successions, others) for pair in pairs(block) for text in pair}:
        assert replaced(statement, statement) == [], statement


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("I live in Paris.", "I moved to Berlin.", "lives in: Paris -> Berlin"),
        ("My boss is Kim.", "My boss is now Lee.", "boss: Kim -> Lee"),
        ("The launch is on Friday.", "The launch moved to Monday.", "launch (weekday): friday -> monday"),
        ("I like coffee.", "I no longer like coffee.", "no longer: like coffee"),
        ("I work at Acme.", "I quit my job.", "works for: no longer Acme"),
        ("我住在巴黎。", "我搬到柏林了。", "lives in: 巴黎 -> 柏林"),
        ("我喝咖啡。", "我不喝咖啡了。", "no longer: 喜欢咖啡"),
        ("房租是3000元。", "房租涨到3500元了。", "房租 (amount): 3000 -> 3500"),
    ],
)
def test_the_reason_names_what_changed_and_both_values(old: str, new: str, why: str) -> None:
    """A person can see what was read."""
    assert reason(old, new) == why


def test_of_two_parts_of_a_moment_the_one_that_changed_is_replaced() -> None:
    """A day and a time of day are no values of the same kind."""
    assert reason("The standup is on Friday at 9.", "The standup is at 10.") == "standup (clock): 9:00 -> 10:00"
    assert reason("The standup is on Friday.", "The standup is at 10.") is None
    assert reason("会议在周五。", "会议是上午十点。") is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("The call is at 3 pm.", "The call is at 15:00."),
        ("The budget is 5,000 euros.", "The budget is 5k."),
        ("The exam is on May 9.", "The exam is on 9 May."),
        ("预算是5万元。", "预算是50000元。"),
        ("会议在下午三点。", "会议在15:00。"),
        ("I live in Lisbon.", "I live in Lisbon, Portugal."),
    ],
)
def test_the_same_value_in_another_form_replaces_nothing(old: str, new: str) -> None:
    """Moments, amounts and places with more words are recognised."""
    assert reason(old, new) is None


def test_i_is_whoever_speaks() -> None:
    """A name before the text, else the hint, else the user."""
    assert replaced("Ann: I live in Paris.", "Ann moved to Rome.") == [("0", "1")]
    assert replaced("Ann lives in Paris.", "I moved to Rome.", hint="Ann") == [("0", "1")]
    assert replaced("The user lives in Paris.", "I moved to Rome.") == [("0", "1")]
    assert replaced("Ann: I live in Paris.", "Ben: I moved to Rome.") == []
    assert replaced("小安：我住在巴黎。", "小安搬到罗马了。") == [("0", "1")]


@pytest.mark.parametrize(
    "text", ["", "?", "Ann:", "I", "我", "Do I live in Rome?", "我住在罗马吗？", "I might move to Rome."]
)
def test_what_states_nothing_claims_nothing_that_could_replace(text: str) -> None:
    """Questions, wishes and empty texts."""
    assert reason("I live in Paris.", text) is None
    assert reason("我住在巴黎。", text) is None


@pytest.mark.parametrize("plain", ["Ann maintains the server.", "The launch is on Friday at five.", "I live in Izmir"])
def test_turkish_letters_are_read_as_the_english_ones(plain: str) -> None:
    """A pattern that ignores case takes ı for i: what it finds has to be known by that name."""
    assert claims(plain.replace("i", "ı").replace("I", "İ")) == claims(plain)


def test_a_long_text_claims_nothing() -> None:
    """It holds more than what one later statement can replace."""
    assert claims("I live in Paris. " + "It was a fine day, and we walked along the river. " * 10) == ()


def test_a_change_of_years_ago_replaces_nothing() -> None:
    """It tells of the past; one of this year or the last does."""
    assert replaced("I live in Paris.", "I moved to Rome in 2009.") == []
    assert replaced("I live in Paris.", "I moved to Rome in 2026.") == [("0", "1")]
    assert replaced("我住在巴黎。", "我2009年搬到罗马。") == []


def test_many_claims_are_read_and_compared_in_a_moment() -> None:
    """Ten thousand statements, all different people, in seconds on any machine."""
    told_of = [f"Ann{i}: I live in Paris and work at Acme." for i in range(10_000)]
    began = time.process_time()
    assert find_successions(told(*told_of)) == ()
    assert time.process_time() - began < 30


CITIES = ("Paris", "Rome", "Oslo", "Lima")
PEOPLE = ("Ann", "Ben", "I")
FORMS = ("{who} moved to {city}.", "{who} now {lives} in {city}.", "{who} {lives} in {city}.")


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[Statement, str, str]]:
    """Draw statements of who lives where, with their person and city, some of them of the same time."""
    said = []
    for place in range(draw(st.integers(0, 12))):
        who, city, form = (draw(st.sampled_from(each)) for each in (PEOPLE, CITIES, FORMS))
        text = form.format(who=who, city=city, lives="live" if who == "I" else "lives")
        said.append((Statement(str(place), text, START + timedelta(days=draw(st.integers(0, 5))), place), who, city))
    return said


@given(histories())
def test_each_statement_is_replaced_by_the_first_later_one_of_another_value(
    said: Sequence[tuple[Statement, str, str]],
) -> None:
    """Against a loop over all pairs."""
    expected = {}
    ordered = sorted(said, key=lambda one: (one[0].at, one[0].ordinal))
    for place, (old, who, city) in enumerate(ordered):
        later = (new.id for new, other, there in ordered[place + 1 :] if other == who and there != city)
        expected[old.id] = next(later, None)
    found = {each.old: each.new for each in find_successions([one for one, _, _ in said])}
    assert found == {old: new for old, new in expected.items() if new is not None}


@given(histories(), st.integers(0, 2**32))
def test_the_order_in_which_statements_are_given_does_not_matter(
    said: Sequence[tuple[Statement, str, str]], seed: int
) -> None:
    """Their times and ordinals order them."""
    statements = [one for one, _, _ in said]
    shuffled = random.Random(seed).sample(statements, len(statements))  # noqa: S311  # no secret
    assert set(find_successions(shuffled)) == set(find_successions(statements))


TEXTS = st.text(max_size=80) | st.lists(
    st.sampled_from([text for lists in HELD_BACK for block in lists for pair in pairs(block) for text in pair]),
    max_size=3,
).map(" ".join)


@given(TEXTS, TEXTS)
def test_any_text_can_be_read(one: str, other: str) -> None:
    """No text is an error, no statement replaces an older one twice, and nothing younger is replaced."""
    found = find_successions([*told(one, other), Statement("first", one, START - timedelta(days=1), 0)])
    assert len({each.old for each in found}) == len(found)
    order = {"first": 0, "0": 1, "1": 2}
    assert all(order[each.old] < order[each.new] for each in found)
