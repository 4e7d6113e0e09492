"""The Chinese texts of the command line, in one table.

Terms: 任务 (task), 提示词 (prompt), 模拟服务 (sandbox), 运行记录 (journal), 官方文档页 (the vendor's page),
规则 (rule).
"""

from collections.abc import Mapping
from typing import Final

# The first line of an error, by its class.
SUMMARIES: Final[Mapping[str, str]] = {
    "SeeDreamError": "出错",
    "InvalidRequest": "请求不合规，未发送，未扣费",
    "InvalidResolution": "分辨率不合规，未发送，未扣费",
    "ConfigError": "配置有误，未发送",
    "NotSent": "请求未发出，未扣费",
    "Refused": "服务器拒绝了请求",
    "RateLimited": "请求过于频繁，未扣费",
    "InsufficientCredits": "积分不足",
    "AuthError": "密钥被拒绝",
    "Rejected": "请求被服务器拒绝",
    "SubmissionUnknown": "提交结果未知，可能已扣费；不会自动重发，请先到控制台确认",
    "TaskFailed": "任务失败",
    "WaitTimeout": "等待超时，任务仍在服务器上",
    "StatusError": "任务查询失败",
    "TaskNotFound": "服务器上没有这个任务",
    "DownloadError": "图片下载失败，任务仍在，可再次下载",
    "DiskError": "图片无法写入磁盘，任务仍在，可再次下载",
    "ResultExpired": "图片链接已过期",
    "Truncated": "图片不完整",
    "NotAPicture": "收到的内容不是图片",
    "TooLarge": "图片过大",
    "UnsafeUrl": "图片链接不安全",
    "JournalError": "运行记录不可用",
    "JournalLocked": "运行记录正被其他进程使用",
    "JournalFull": "运行记录无法写入，未发送",
    "BudgetReached": "已达到图片预算，未发送",
    "JournalTooNew": "运行记录由更新的版本写成",
}

# What follows a number.
NOUNS: Final[Mapping[str, str]] = {
    "picture": "张图片",
    "image": "张图片",
    "job": "条任务",
    "byte": "字节",
}

# Messages of the command line, by their English text; ``{name}`` is a value.
MESSAGES: Final[Mapping[str, str]] = {
    # Click's own words.
    "Usage: ": "用法：",
    "Options:": "选项：",
    "Commands:": "命令：",
    "Exit codes:": "退出码：",
    "Environment variables:": "环境变量：",
    "Show this message and exit.": "显示本帮助并退出。",
    "Show the version and exit.": "显示版本并退出。",
    "required": "必填",
    "Help: {command}": "帮助：{command}",
    "Missing command.": "缺少命令。",
    # Help texts of the program.
    "Make pictures with the TensorsLab SeeDreamV4.5 API.": "用 TensorsLab SeeDreamV4.5 接口生成图片。",
    "A request that breaks a rule of the API is refused here, before it costs. A paid request is sent at most once. "
    "The key is read from TENSORSLAB_API_KEY, and never printed. To try it without a key or cost, add --sandbox.": (
        "违反接口规则的请求在本地就会被拒绝，不会扣费。付费请求最多发送一次。密钥从 TENSORSLAB_API_KEY 读取，从不显示。"
        "不用密钥、不花钱试用：加上 --sandbox。"
    ),
    "Make pictures from a prompt.": "根据提示词生成图片。",
    "Check resolutions against the rules.": "按规则检查分辨率。",
    "Show the state of a task, or list the latest ones.": "查看任务状态，或列出最近的任务。",
    "Wait for a task and save its pictures.": "等待任务完成并保存图片。",
    "Run thousands of prompts; survives crashes and never pays twice.": "批量处理成千上万条提示词；崩溃后可继续，绝不重复付费。",
    "List the rules that the API's page states.": "列出官方文档页写明的规则。",
    "Explain one rule: sentence, facts, enforcement, tests.": "解释一条规则：原文、数值、在哪里检查、哪些测试。",
    "Run a local stand-in of the service.": "在本机运行模拟服务。",
    "Make a few pictures in the sandbox, and a contact sheet.": "用模拟服务生成几张图片和一张总览图。",
    "The API key.": "接口密钥。",
    "The service, for a sandbox or a gateway.": "服务地址，用于模拟服务或网关。",
    'Folder of the record that "seedream task" lists.': "提交记录所在的文件夹，由 seedream task 列出。",
    "Language of the messages: zh or en; by default that of the locale.": "消息语言：zh 或 en；默认按系统区域设置。",
    "info or debug prints what is sent and answered, without secrets.": "info 或 debug：显示发送和收到的内容，不含密钥。",
    "1 prints the traceback of an error, to report it.": "设为 1 时显示错误的回溯，便于报告问题。",
    # Help texts of options of several commands.
    "Print one JSON document, errors too.": "输出一个 JSON 文档，出错时也是。",
    "File that holds the key; by default it is in TENSORSLAB_API_KEY.": "存放密钥的文件；默认从 TENSORSLAB_API_KEY 读取。",
    "The service; by default TENSORSLAB_BASE_URL, else the one of the API's page.": (
        "服务地址；默认用 TENSORSLAB_BASE_URL，否则用官方文档页上的地址。"
    ),
    "Where the pictures go; by default here.": "图片保存到哪里；默认为当前目录。",
    "Where the pictures go.": "图片保存到哪里。",
    # Help texts of generate.
    "Make pictures from PROMPT and save them; - reads the prompt from standard input.": (
        "根据 PROMPT 生成图片并保存；写 - 时从标准输入读取提示词。"
    ),
    "The paths are printed on stdout, everything else on stderr. The task's id is printed as soon as it is known, and "
    'recorded: "seedream task" without an ID lists the latest ones, also after a crash.': (
        "图片路径写到标准输出，其余都写到标准错误。任务 ID 一得到就会显示并记录下来：seedream task 不带 ID 时列出最近的"
        "任务，程序崩溃之后也可以。"
    ),
    "A picture to start from; repeatable.": "源图片；可重复使用。",
    "Send source images of no known picture format, and image URLs that are not http(s).": (
        "格式无法识别的源图片、非 http(s) 的图片地址也照样发送。"
    ),
    "Use a local stand-in of the service, started for this run.": "使用为本次运行启动的模拟服务。",
    "Print the request and its cost; send nothing. Needs no key.": "显示请求和费用，不发送。不需要密钥。",
    # Help texts of check, task, wait, rules, explain, demo.
    "Check each RESOLUTION: print its canonical form and pixels, or what is wrong and the nearest legal one.": (
        "检查每个 RESOLUTION：显示规范写法和像素数，或说明错在哪里、最接近的合规值是什么。"
    ),
    "Ends with 1 if any is not legal. Needs no key and no network.": "有不合规的就以 1 退出。不需要密钥和网络。",
    'Show the state of task ID, or without an ID list the latest submissions of "seedream generate".': (
        "查看任务 ID 的状态；不带 ID 时列出 seedream generate 最近的提交。"
    ),
    "A query costs nothing. The list is read from this machine; nothing is sent.": (
        "查询不花钱。列表从本机读取，不发送任何内容。"
    ),
    "Wait for task ID and save its pictures. It costs nothing; pictures already saved are kept.": (
        "等待任务 ID 并保存图片。不花钱；已保存的图片会保留。"
    ),
    "How many pictures there must be.": "应有几张图片。",
    "List the rules that the API's page states, and what they rest on.": "列出官方文档页写明的规则及其依据。",
    "Explain each RULE: the vendor's sentence, its facts and place, what enforces it, which tests guard it.": (
        "解释每条 RULE：官方原文、数值和位置、由什么检查、由哪些测试守护。"
    ),
    "Make eight pictures in the sandbox at once, measure each, and draw a contact sheet.": (
        "用模拟服务同时生成八张图片，逐张测量，并画出总览图。"
    ),
    "Needs no key and no network, and costs nothing. Ends with 1 if a picture is not as requested.": (
        "不需要密钥和网络，不花钱。有图片与要求不符就以 1 退出。"
    ),
    # Help texts of bulk.
    "Run thousands of prompts from a file; survives crashes and never pays twice.": (
        "从文件批量处理成千上万条提示词；崩溃后可继续，绝不重复付费。"
    ),
    "Every job is recorded in out/journal.sqlite before it is sent. Whatever happens, run or resume again: finished "
    "jobs are not repeated, and jobs that may have been paid for without an answer are listed and not sent again.": (
        "每条任务在发送之前都记入 out/journal.sqlite。无论发生什么，再次 run 或 resume 即可：已完成的不会重做，"
        "可能已扣费但没有答复的会列出，不会自动重发。"
    ),
    "Run the JOBS of a .jsonl or .csv file; run it again to go on.": "运行 .jsonl 或 .csv 文件 JOBS 中的任务；再次运行即可继续。",
    "The whole file is checked first, and every problem shown with its line. Pictures, results.jsonl and gallery.html "
    "go to the output folder.": (
        "先检查整个文件，每个问题都指出所在的行。图片、results.jsonl 和 gallery.html 写到输出文件夹。"
    ),
    "Go on with the run in FOLDER, with its settings or new ones.": "继续 FOLDER 中的运行，沿用原设置或使用新设置。",
    "Show how far the run in FOLDER has come; also while it is running.": "显示 FOLDER 中的运行进度；运行期间也可以。",
    "Plan failed or rejected jobs of FOLDER again; then resume.": "重新安排 FOLDER 中失败或被拒绝的任务，然后 resume。",
    "List the unknown jobs of FOLDER, or decide about one.": "列出 FOLDER 中结果未知的任务，或对其中一个作出决定。",
    "An unknown job was sent, and no usable answer came: only the vendor's console shows whether it was charged.": (
        "结果未知的任务已经发送，但没有得到可用的答复：是否扣费只有官方控制台知道。"
    ),
    "Write results.jsonl and gallery.html of FOLDER again.": "重新写出 FOLDER 的 results.jsonl 和 gallery.html。",
    "Submissions on the way at once.": "同时进行的提交数。",
    "Submissions per second, minute or hour.": "每秒、每分钟或每小时的提交数。",
    "Stop before more pictures are paid.": "付费图片数的上限。",
    "Tasks submitted and not yet saved, at once.": "同时存在的已提交、未保存的任务数。",
    "How long to wait for one task.": "等待一个任务的时间。",
    "Go on although the service has another address than before.": "服务地址与之前不同也继续。",
    "Read all saved pictures again first; fetch what is damaged.": "先重新检查所有已保存的图片，损坏的重新下载。",
    "The output folder.": "输出文件夹。",
    "Check the file and print what it costs; send nothing. Needs no key.": "检查文件并显示费用，不发送。不需要密钥。",
    "Jobs whose task failed: they may be paid again.": "任务失败的：可能再次付费。",
    "Wait and download on a Ray cluster; without ADDRESS a local one is started for the run.": (
        "在 Ray 集群上等待和下载；不给 ADDRESS 时为本次运行启动本地集群。"
    ),
    "With --ray: how many processes download.": "配合 --ray：下载进程的数量。",
    "With --ray: where pictures go, for example s3://bucket/prefix.": "配合 --ray：图片保存到哪里，例如 s3://bucket/prefix。",
    "Jobs that the service refused.": "被服务拒绝的。",
    "The task that you found for it in the vendor's console.": "在官方控制台找到的对应任务。",
    "Send it again: it may be paid twice.": "再次发送：可能付两次费。",
    "Neither wait for it nor send it again.": "既不等待也不重发。",
    "You know that it was not charged: free its share of the budget.": "确知没有扣费：释放它占用的预算。",
    # Help texts of sandbox.
    "Run a local stand-in of the service: real pictures, real failures, no cost. Ctrl-C stops it.": (
        "在本机运行模拟服务：真实的图片，真实的故障，不花钱。按 Ctrl-C 停止。"
    ),
    "It binds to loopback and prints how to use it. With another --host, other machines can reach it: never use keys of "
    "the real service with it.": (
        "默认只监听本机，并显示使用方法。改用其他 --host 时，别的机器也能访问：请不要使用真实服务的密钥。"
    ),
    "Port of the image host.": "图片服务器的端口。",
    "Address of the API as clients reach it (container, proxy).": "客户端访问接口所用的地址（容器、代理）。",
    "Likewise of the image host; default: with --images-port.": "同上，用于图片服务器；默认使用 --images-port。",
    "Serve HTTPS with this certificate (PEM).": "用这个证书（PEM）提供 HTTPS。",
    "Its private key (PEM), where --tls-cert does not hold it.": "证书的私钥（PEM），如果 --tls-cert 中没有。",
    "Who may use the page at / and its JSON: this machine, everyone who reaches the port, nobody.": (
        "谁可以使用 / 页面及其 JSON：本机、能访问端口的所有人、任何人都不可以。"
    ),
    "Print a line for each request (stderr).": "每个请求显示一行（写到标准错误）。",
    "0 takes a free one.": "0 表示自动选择空闲端口。",
    "Anything but loopback warns.": "非本机地址会给出警告。",
    "To start with.": "初始积分。",
    "Decides ids, pictures and chances; by default another each time.": "决定 ID、图片和概率；默认每次不同。",
    "What moves a task on; time where --latency is given, otherwise polls.": (
        "任务按什么推进；给出 --latency 时按时间，否则按查询次数。"
    ),
    "Seconds a task takes.": "任务耗时（秒）。",
    "Queries a task takes (progress: polls).": "任务需要的查询次数（progress 为 polls 时）。",
    "Plain is fast.": "plain 更快。",
    "Accept only these keys, each with tasks and credits of its own; repeatable. Default: any.": (
        "只接受这些密钥，各有自己的任务和积分；可重复使用。默认接受任意密钥。"
    ),
    "Go wrong: 'cut-reply nth=2'; repeatable.": "制造故障：'cut-reply nth=2'；可重复使用。",
    "Faults from a YAML file with a list 'faults'; repeatable.": "从 YAML 文件的 faults 列表读取故障；可重复使用。",
    "Append each charge to this file.": "把每次扣费追加到这个文件。",
    "List the faults with their options, and stop.": "列出所有故障及其选项后退出。",
    # Exit codes.
    "done": "完成",
    "failed: the service refused the request, the task failed, or something checked is not legal": (
        "失败：服务拒绝了请求，任务失败，或检查的内容不合规"
    ),
    "the command line is not understood, or an extra is not installed": "命令行有误，或缺少某个扩展包",
    "the request breaks a rule; nothing was sent": "请求违反规则；未发送",
    "the key, the base URL or a directory is unusable, or the key was refused": "密钥、服务地址或目录不可用，或密钥被拒绝",
    "not enough credits": "积分不足",
    "sent, but no usable answer: it may have been billed, and is not sent again": (
        "已发送但没有得到可用的答复：可能已扣费，不会再次发送"
    ),
    "the task is not finished, or cannot be asked for now; it is not lost": "任务未完成，或暂时查询不到；任务没有丢失",
    "pictures are missing; the task is not lost": "缺少图片；任务没有丢失",
    "not sent, or too many requests: nothing was billed, try again later": "未发送，或请求过于频繁：没有扣费，请稍后再试",
    "the journal or the output folder cannot be used; nothing more was sent": "运行记录或输出文件夹不可用；没有再发送",
    "the budget of a bulk run is reached": "批量运行达到了图片预算",
    "the service knows no such task": "服务器上没有这个任务",
    "an unexpected error: a bug in seedream": "意外错误：seedream 的缺陷",
    "this machine ran out of memory, open files, threads or disk space": "本机的内存、打开文件数、线程或磁盘空间不足",
    "a bulk run is paused; run the same command again to go on": "批量运行已暂停；再次运行同一命令即可继续",
    "interrupted with Ctrl-C": "被 Ctrl-C 中断",
    "the reader of the output closed it": "输出的读取方已关闭",
    # The frame of an error.
    "Error: ": "错误：",
    "rule": "规则",
    "do": "处理",
    "saved": "已保存",
    "billed": "扣费",
    "task": "任务",
    "go on": "继续",
    "nobody knows; the vendor's console shows it": "未知；请到官方控制台确认",
    "Interrupted.": "已中断。",
    "The task goes on; to get its pictures: {command}": "任务仍在进行；取图命令：{command}",
    "cannot write the output: {reason}": "无法写出结果：{reason}",
    "{where}: {reason}": "{where}：{reason}",
    "this machine": "本机",
    "Unexpected {kind}: {text}. This is a bug in seedream {version} (Python {python}): "
    "run it again with {variable}=1 and report what it prints.": (
        "意外的 {kind}：{text}。这是 seedream {version}（Python {python}）的缺陷：请设置 {variable}=1 再运行一次，并报告输出内容。"
    ),
    "The API has nothing like {name}; leave it out.": "接口没有与 {name} 相当的功能；请去掉。",
    "Use {option}.": "请用 {option}。",
    # What generate, wait and task print.
    "Sandbox at {url}: nothing leaves this machine, nothing is paid.": "模拟服务位于 {url}：不访问外部网络，不花钱。",
    "Task {taskid} accepted.": "任务 {taskid} 已受理。",
    "Task {taskid} accepted. If this stops: {command}": "任务 {taskid} 已受理。如果中途停止：{command}",
    "Waiting for the answer to a paid request. Ctrl-C again gives it up; it may have been billed.": (
        "正在等待付费请求的答复。再按一次 Ctrl-C 放弃；可能已扣费。"
    ),
    "{saved} saved.": "已保存 {saved}。",
    "{saved} saved, cost {cost}.": "已保存 {saved}，费用为 {cost}。",
    "{saved} saved, cost {cost} of play money.": "已保存 {saved}，费用为 {cost}（模拟积分）。",
    "submitting": "提交中",
    "finishing the submission": "正在完成提交",
    "waiting": "等待中",
    "queued": "排队中",
    "processing": "处理中",
    "completed": "已完成",
    "failed": "失败",
    "unknown": "未知",
    "{reason}, again in {seconds} s": "{reason}，{seconds} 秒后重试",
    "rate limited": "请求过于频繁",
    "request timeout": "服务器未收到完整请求",
    "saving {index} of {total}": "保存第 {index}/{total} 张",
    "saved {total} of {total}": "已保存 {total}/{total}",
    "pictures": "图片",
    "picture": "图片",
    "state": "状态",
    "size": "尺寸",
    "prompt": "提示词",
    "error": "错误",
    "accepted": "已受理",
    "not sent": "未发送",
    "refused, not billed": "被拒绝，未扣费",
    "sent, no usable answer: it may have been billed": "已发送，没有可用的答复：可能已扣费",
    "sent, no answer was recorded: it may have been billed": "已发送，没有记录到答复：可能已扣费",
    "No submission of this user is recorded.": "没有记录到当前用户的提交。",
    "To get the pictures of the latest one: {command}": "取最近一个任务的图片：{command}",
    # What --dry-run and check print.
    "Form fields": "表单字段",
    "Files": "文件",
    "Nothing was sent. If sent, it would cost {cost}.": "没有发送。如果发送，费用为 {cost}。",
    "{pixels} pixels": "{pixels} 像素",
    "ratio: the service chooses the size": "宽高比：具体尺寸由服务决定",
    "tier: the service chooses the size": "档位：具体尺寸由服务决定",
    # What rules and explain print.
    "says": "内容",
    "standing": "依据",
    "{standing} ({source})": "{standing}（{source}）",
    "place": "位置",
    "nowhere in the spec": "规范中没有",
    "page ({language})": "原文（{language}）",
    "fact {name}": "数值 {name}",
    "{name} examples": "{name}示例",
    "valid": "有效",
    "invalid": "无效",
    "enforced by": "检查",
    "nothing: it is supported, not enforced": "无：支持，但不强制",
    "tested by": "测试",
    "no test that names it": "没有提到它的测试",
    "stated": "写明",
    "inferred": "推断",
    "contradicted": "矛盾",
    "the vendor's page, {language} edition vendored": "官方文档页，{language} 版",
    "there is no rule {name}. {hint}": "没有规则 {name}。{hint}",
    "Did you mean {rules}?": "是否想找 {rules}？",
    "The rules are {rules}.": "规则有 {rules}。",
    "page": "官方文档页",
    "the vendor's documented reply for insufficient credits": "官方文档中积分不足时的答复",
    "the maker of the model; links on the image host are signed": "模型厂商的说明；图片链接带有签名",
    "the vendor's reference of the query operation": "官方文档中的查询接口",
    "the vendor's own sample code": "官方示例代码",
    "A resolution is an aspect ratio, a tier, or an exact size written WIDTHxHEIGHT.": (
        "分辨率是宽高比、档位，或写成 宽x高 的具体尺寸。"
    ),
    "An aspect ratio is one of those listed.": "宽高比是列出的比例之一。",
    "A tier is one of those listed.": "档位是列出的档位之一。",
    "The total pixels of an exact size lie within these bounds, both included.": "具体尺寸的总像素在此范围内，含两端。",
    "The page's own examples of a valid and an invalid exact size.": "官方文档页给出的有效和无效尺寸示例。",
    "A prompt is required.": "提示词必填。",
    "The number of pictures lies within the schema's bounds.": "图片数量在 schema 规定的范围内。",
    "The category has a default; it names the model.": "分类有默认值，即模型名称。",
    "Source images are sent as files, any number of them.": "源图片以文件形式发送，数量不限。",
    "A source image can be named by its URL instead of being sent.": "源图片可以只给出 URL，而不上传。",
    "The code of a reply tells success, failure or insufficient credits; the HTTP status does not.": (
        "成功、失败或积分不足由答复中的 code 表示，而不是 HTTP 状态码。"
    ),
    "A failure reply has no data, against the schema.": "失败的答复没有 data，与 schema 不符。",
    "The reply names a task id, with which the task's state is asked for later.": "答复给出任务 ID，之后用它查询任务状态。",
    "Some operations answer with the picture's URL at once; do not count on it.": (
        "某些接口会直接返回图片 URL；不要依赖这一点。"
    ),
    "The address of a finished picture stops working after a day; download promptly, never with the API key.": (
        "图片链接一天后失效；请及时下载，下载时绝不携带密钥。"
    ),
    "What the numbers of a task's status mean; any other number means that it is still running.": (
        "任务状态数字的含义；其他数字表示任务仍在进行。"
    ),
    "The API key travels in the Authorization header.": "接口密钥放在 Authorization 请求头中。",
    "The header's value is the key after a scheme word.": "请求头的值是方案名加密钥。",
    # What bulk prints.
    "{jobs}, {pictures}. Nothing was sent.": "{jobs}，{pictures}。没有发送。",
    "{jobs} planned again.": "已重新安排 {jobs}。",
    "{jobs} dropped.": "已放弃 {jobs}。",
    "To send failed or refused jobs again, which may be charged: {command}": (
        "重新发送失败或被拒绝的任务（可能扣费）：{command}"
    ),
    "To go on: {command}": "继续运行：{command}",
    "To record the task id once there is room: {command}": "有空间后记录任务 ID：{command}",
    "There is no room to record that job {key} became task {taskid}, which is paid for.": (
        "没有空间记录：{key} 对应的任务是 {taskid}，已付费。"
    ),
    "All jobs that are still to be sent.": "所有尚未发送的任务。",
    "Copy the journal of FOLDER to the new file TARGET; also while it is running.": (
        "把 FOLDER 的运行记录复制到新文件 TARGET；运行中也可以。"
    ),
    "The copy is one file. It is as old as it is: what is sent afterwards is not in it.": (
        "副本是一个完整的文件，只含复制之前的记录，之后发送的不在其中。"
    ),
    "Give up JOBS of FOLDER that are still to be sent, or all of them. Nothing is charged for them.": (
        "放弃 FOLDER 中尚未发送的 JOBS，或全部放弃。不会扣费。"
    ),
    "Go on although the jobs file has changed since.": "即使任务文件已改动也继续。",
    "Go on without records that are lost: their jobs may be paid again.": (
        "在记录丢失的情况下继续：相应任务可能再次扣费。"
    ),
    "Of the jobs file: utf-8 (the default), gb18030, utf-16 ...": "任务文件的编码：utf-8（默认）、gb18030、utf-16 等。",
    "Pause after so many failures in a row; 0: never.": "连续失败达到此数时暂停；0 表示从不。",
    "Send source images in which no picture format is recognised.": "即使源图片的格式无法识别也发送。",
    "Next: {command}": "下一步：{command}",
    "Decided.": "已决定。",
    "The task is in the console: {command}": "控制台中有该任务：{command}",
    "Send it again, which may be charged: {command}": "再次提交（可能再次计费）：{command}",
    "Give it up: {command}": "放弃：{command}",
    "No job is unknown.": "没有结果未知的任务。",
    "{key}  (line {line}, {pictures}): {message}": "{key}（第 {line} 行，{pictures}）：{message}",
    "To decide about the unknown jobs: {command}": "处理结果未知的任务：{command}",
    "Write this down: job {key} became task {taskid}, which could not be recorded.": (
        "请记下：任务 {key} 对应 {taskid}，未能写入运行记录。"
    ),
    "The sandbox and its tasks are gone. For a run that can be resumed, start a sandbox of its own: {command}": (
        "模拟服务及其任务已结束。要能继续运行，请单独启动模拟服务：{command}"
    ),
    "made, pictures not all saved": "已生成，图片未全部保存",
    "accepted by the service, not finished": "服务已受理，未完成",
    "being sent": "正在发送",
    "still to be sent": "尚未发送",
    "failed on the service": "在服务上失败",
    "refused by the service, not charged": "被服务拒绝，未扣费",
    "sent without a usable answer": "已发送，没有可用的答复",
    "given up": "已放弃",
    "pictures that may have been charged": "张图片可能已扣费",
    "of {budget} pictures that may be charged": "张图片可能已扣费，预算 {budget} 张",
    "checking the jobs": "正在检查任务",
    "{spent} of {budget}": "{spent}/{budget}",
    "{time} left": "剩余 {time}",
    "{number} failed or unknown": "{number} 条失败或未知",
    "waiting: {reason}": "等待：{reason}",
    "All jobs have been worked on.": "全部任务已处理。",
    "The account has not enough credits.": "账户积分不足。",
    "Top up, then resume: the rest of the queue is kept.": "请充值后继续：其余任务已保留。",
    "The budget is reached.": "已达到预算。",
    "Resume with a higher budget to go on: the rest of the queue is kept.": "请提高预算后继续：其余任务已保留。",
    "The service refused the API key.": "服务拒绝了密钥。",
    "Check the key, then resume.": "请检查密钥后继续。",
    "The service cannot be used as it is set up.": "按目前的设置无法使用服务。",
    "Correct the set-up, then resume.": "请改正设置后继续。",
    "The output folder cannot be written, so nothing more was sent.": "输出文件夹无法写入，没有再发送。",
    "Make room or correct the folder, then resume.": "请腾出空间或改正文件夹后继续。",
    "This machine ran out of memory, threads or open files, so nothing more was sent.": (
        "本机的内存、线程或可打开的文件已用尽，没有再发送。"
    ),
    "Close other programs or lower --in-flight and --concurrency, then resume.": (
        "请关闭其他程序，或降低 --in-flight 和 --concurrency 后继续。"
    ),
    "Too many tasks failed or did not finish. The run stopped to protect your credits.": (
        "过多任务失败或没有完成：为保护积分已停止。"
    ),
    "Look at the jobs' errors in results.jsonl, then resume.": "请查看 results.jsonl 中的错误后继续。",
    "The pictures of too many tasks could not be saved. The run stopped to protect your credits.": (
        "过多任务的图片无法保存：为保护积分已停止。"
    ),
    "The tasks are not lost. Look at the errors in results.jsonl, then resume.": (
        "任务没有丢失。请查看 results.jsonl 中的错误后继续。"
    ),
    "The service could not be reached for too long.": "长时间无法连接服务。",
    "Resume later.": "请稍后继续。",
    "The service answered “too many requests” to every submission for too long.": "长时间所有提交都被限流。",
    "Resume later, with a lower rate.": "请稍后用更低的速率继续。",
    "Too many submissions got no usable answer. The run stopped to protect your credits.": (
        "过多提交没有得到可用的答复：为保护积分已停止。"
    ),
    "Resolve the unknown ones, then resume.": "请处理结果未知的任务后继续。",
    "Interrupted. Every submission on its way was finished.": "已中断；进行中的提交都已完成。",
    "Resume to go on.": "可以继续运行。",
    "Interrupted twice. Submissions on their way are listed as unknown.": "已强行中断；进行中的提交列为结果未知。",
    "Resolve them, then resume.": "请处理后继续。",
    # What demo prints.
    "A sandbox of the service runs at {url}. No key, no cost, nothing leaves this machine.": (
        "模拟服务运行于 {url}。不需要密钥，不花钱，不访问外部网络。"
    ),
    "And one that breaks a rule: {prompt} at {resolution}. It is refused before it is sent:": (
        "还有一个违反规则的请求：{prompt}，{resolution}。它在发送之前就被拒绝："
    ),
    "Pictures": "图片",
    "Contact sheet": "总览图",
    "Cost": "费用",
    "{folder}  ({number}, each opened and measured)": "{folder}（共 {number} 张，逐张打开并测量）",
    "{charged} of {credits} credits of play money; the refused one cost nothing": (
        "{credits} 个模拟积分中的 {charged} 个；被拒绝的请求不扣费"
    ),
    "Your own: {command}": "自己试试：{command}",
    "text only": "纯文字",
    "from a picture": "以图生图",
    "portrait": "竖幅",
    "a batch of four": "一次四张",
    "exact size": "指定尺寸",
    "Check any server of the API against the page.": "按官方文档页检查任意 API 服务。",
    "Check a server of the API, in any language, against the rules of the vendor's page.": "按官方文档页的规则检查一个 API 服务，不限实现语言。",
    "Refusals come first and cost nothing; what creates tasks needs a budget. The run ends at the first broken rule.": "先检查拒绝，不产生费用；创建任务的检查需要预算。遇到第一条被违反的规则即停止。",
    "Allow http to a host that is not this machine: the key travels unencrypted.": "允许用 http 访问其他主机：密钥将不加密传输。",
    "Images that may be paid for.": "最多可付费的图片张数。",
    "No budget: for a server that costs nothing.": "不限预算：用于不产生费用的服务。",
    "Key of another account, for what accounts must not share.": "另一个账号的密钥，用于检查账号之间的隔离。",
    "Key of an account without credits.": "没有积分的账号的密钥。",
    "Gives the charges as JSON: a list of numbers, or of objects with 'images'.": "以 JSON 给出扣费记录：数字列表，或带 'images' 的对象列表。",
    "The server accepts every key, so an unknown one is not tried.": "该服务接受任意密钥，因此不尝试未知密钥。",
    "Only this rule, relation or example (may hold *); repeatable.": "只检查该规则、关系或用例（可含 *）；可重复。",
    "A known deviation; repeatable.": "已知的偏差；可重复。",
    "Known deviations in TOML, each with a reason and an end date.": "TOML 格式的已知偏差，每条都有原因和截止日期。",
    "Go on after a broken rule. It may cost: what is wrongly accepted is charged.": "规则被违反后继续检查。可能产生费用：被错误接受的请求会扣费。",
    "Write the results for a CI, as JUnit XML.": "将结果写成 CI 用的 JUnit XML。",
    "Write the results as one page to look at.": "将结果写成一个可查看的网页。",
    "List the relations, and stop; needs no server.": "列出所有关系后退出；不需要服务。",
    "Seconds to wait for a task.": "等待一个任务的秒数。",
}

# Texts that the library, click and the operating system make. ``{name}`` stands for any text within a
# sentence, which is kept as it is; the text of ``{name!t}`` is translated too. The pattern with the most fixed text is tried first.
PATTERNS: Final[Mapping[str, str]] = {
    # Click.
    "default: {value}": "默认：{value}",
    "Missing argument '{name}'.": "缺少参数“{name}”。",
    "Missing option '{name}'.": "缺少选项“{name}”。",
    "No such command '{name}'.": "没有命令“{name}”。",
    "No such option: {name}": "没有选项 {name}",
    "No such option '{name}'.": "没有选项 {name}。",
    "No such option: {name} Did you mean {other}?": "没有选项 {name}，是否想用 {other}？",
    "No such option: {name} (Possible options: {others})": "没有选项 {name}，相近的有：{others}",
    "No such option '{name}'. Did you mean {other}?": "没有选项 {name}，是否想用 {other}？",
    "No such option '{name}'. (Possible options: {others})": "没有选项 {name}，相近的有：{others}",
    "No such option '{name}'. (Did you mean one of: {others}?)": "没有选项 {name}，相近的有：{others}。",
    "No such command '{name}'. Did you mean {other}?": "没有命令“{name}”，是否想用 {other}？",
    "No such command '{name}'. (Did you mean one of: {others}?)": "没有命令“{name}”，相近的有：{others}",
    "Option '{name}' requires an argument.": "选项 {name} 需要一个值。",
    "Option '{name}' does not take a value.": "选项 {name} 不带值。",
    "Got unexpected extra argument ({name})": "多余的参数：{name}",
    "Got unexpected extra arguments ({names})": "多余的参数：{names}",
    "Invalid value: {reason!t}": "值不合法：{reason}",
    "Invalid value for {name}: {reason!t}": "{name} 的值不合法：{reason}",
    "'{value}' is not a valid integer.": "“{value}”不是整数。",
    "'{value}' is not a valid integer range.": "“{value}”不是整数。",
    "'{value}' is not a valid float.": "“{value}”不是数字。",
    "'{value}' is not a valid float range.": "“{value}”不是数字。",
    "'{value}' is not one of {choices}.": "“{value}”不在 {choices} 之中。",
    "{value} is not in the range {range}.": "{value} 不在范围 {range} 内。",
    "How many pictures: {limits!t}.": "生成几张图片：{limits}。",
    "{least} to {most}, default {default}": "{least} 到 {most}，默认 {default}",
    "{values}, or WIDTHxHEIGHT; default {default}.": "{values}，或 宽x高；默认 {default}。",
    "Any field of the API: {names}.": "接口的任意字段：{names}。",
    "{value} is not a number of seconds from 0": "{value} 不是有效的秒数",
    "How long to wait for the pictures, default {seconds}; the task is not lost after it.": (
        "等待图片的时间，默认 {seconds} 秒；超时后任务不会丢失。"
    ),
    "Time limit of a phase of a request; repeatable. Phases: {names}.": "请求某一阶段的时限；可重复使用。阶段：{names}。",
    "{value} is not PHASE=SECONDS with a phase of {names}": "{value} 不是 阶段=秒数；阶段有：{names}",
    "{value} is not FIELD=VALUE": "{value} 不是 FIELD=VALUE 的形式",
    "{value} is not a rate: give 2/s, 30/m or 500/h": "{value} 不是速率：请写成 2/s、30/m 或 500/h",
    "{option} cannot be combined with {others}": "{option} 不能与 {others} 同时使用",
    "give --failed, --rejected or both": "请给出 --failed、--rejected 或两者",
    "name the job to decide about": "请指明要决定的任务",
    "give one of --taskid, --again and --give-up": "请给出 --taskid、--again、--give-up 之一",
    "task {taskid} was made from another prompt: {prompt}": "任务 {taskid} 用的是另一个提示词：{prompt}",
    '"-" reads the prompt from standard input, which is a terminal; pipe a text into it': (
        "- 表示从标准输入读取提示词，但标准输入是终端；请用管道传入文本"
    ),
    "the prompt on standard input is not UTF-8 at byte {number}": "标准输入的提示词不是 UTF-8（第 {number} 字节）",
    '{name} is not installed. Install the extra: pip install ".[{extra}]" in a clone, or '
    '"seedream[{extra}] @ file:///PATH/TO/THE.whl".': (
        '{name} 没有安装。请安装扩展包：在克隆目录中 pip install ".[{extra}]"，或用 "seedream[{extra}] @ file:///wheel 文件路径"。'
    ),
    "Columns: prompt, and if wanted {names}.": "列：prompt，以及可选的 {names}。",
    # Resolutions.
    "{size} is {pixels} pixels, below {least}": "{size} 共 {pixels} 像素，低于 {least}",
    "{size} is {pixels} pixels, above {most}": "{size} 共 {pixels} 像素，高于 {most}",
    "{size} has no pixels": "{size} 没有像素",
    "{text} is not a resolution": "{text} 不是分辨率",
    "the resolution is of type {type}, not text": "分辨率的类型是 {type}，不是文本",
    "The nearest legal size is {size}.": "最接近的合规尺寸是 {size}。",
    "The nearest {ratio} is {size}.": "最接近的 {ratio} 尺寸是 {size}。",
    "Did you mean {guess}? {hint!t}": "是否想用 {guess}？{hint}",
    "Did you mean {guess}?": "是否想用 {guess}？",
    "Give a ratio ({ratios}), a tier ({tiers}) or WIDTHxHEIGHT in pixels, for example {example}.": (
        "请给出宽高比（{ratios}）、档位（{tiers}）或像素尺寸 宽x高，例如 {example}。"
    ),
    # Fields of a request.
    "empty": "为空",
    "missing": "缺少",
    "given twice": "给出了两次",
    "Give it once.": "请只给一次。",
    "given twice, also as a source image": "给出了两次，另一次作为源图片",
    "Give one of them.": "请只给其中一个。",
    "Say what the picture shows.": "请描述图片的内容。",
    "Give a {name}.": "请给出 {name}。",
    "the API has no such field": "接口没有这个字段",
    "It has {names}.": "接口有这些字段：{names}。",
    "Give {least} to {most}.": "请给出 {least} 到 {most}。",
    "Change it to fit.": "请改为合规的值。",
    "Change it to match.": "请改为符合的值。",
    "Choose one of them.": "请选择其中之一。",
    "Make it longer.": "请加长。",
    "Make it shorter.": "请缩短。",
    "Give more.": "请多给一些。",
    "Give fewer.": "请少给一些。",
    "Give a list.": "请给出列表。",
    "Give text.": "请给出文本。",
    "Give a whole number.": "请给出整数。",
    "Give a finite number.": "请给出有限的数。",
    "Give True or False.": "请给出 True 或 False。",
    "Decode the text properly.": "请用正确的编码读取文本。",
    "{value} is below the minimum {bound}": "{value} 低于最小值 {bound}",
    "{value} is above the maximum {bound}": "{value} 高于最大值 {bound}",
    "{value} is not above {bound}": "{value} 应大于 {bound}",
    "{value} is not below {bound}": "{value} 应小于 {bound}",
    "{value} is larger than any service takes": "{value} 过大",
    "{value} is not a multiple of {step}": "{value} 不是 {step} 的倍数",
    "{value} is not one of {values}": "{value} 不在 {values} 之中",
    "{value} does not match {pattern}": "{value} 不符合 {pattern}",
    "{value} is not text": "{value} 不是文本",
    "{value} is not a whole number": "{value} 不是整数",
    "{value} is not a finite number": "{value} 不是有限的数",
    "{value} is not True or False": "{value} 不是 True 或 False",
    "{number} characters, fewer than {bound}": "{number} 个字符，少于 {bound}",
    "{number} characters, more than {bound}": "{number} 个字符，多于 {bound}",
    "{number} given, fewer than {bound}": "给出 {number} 个，少于 {bound}",
    "{number} given, more than {bound}": "给出 {number} 个，多于 {bound}",
    "a {type} is not a list": "{type} 不是列表",
    "character {number} is half of a pair (a lone surrogate)": "第 {number} 个字符是不完整的编码（单独的代理项）",
    "The API has nothing like {name}; leave it out. {rest!t}": "接口没有与 {name} 相当的功能；请去掉。{rest}",
    "Use {name}. {rest!t}": "请用 {name}。{rest}",
    "Use {name}.": "请用 {name}。",
    "Use source_images for pictures to start from, or batchsize for the number of pictures to make. {rest!t}": (
        "源图片请用 source_images，图片数量请用 batchsize。{rest}"
    ),
    "Use source_images for pictures to start from, or batchsize for the number of pictures to make.": (
        "源图片请用 source_images，图片数量请用 batchsize。"
    ),
    # Source images.
    "no picture format is recognised in source image {number} ({name})": "第 {number} 张源图片（{name}）的格式无法识别",
    "no picture format is recognised in source image {number}": "第 {number} 张源图片的格式无法识别",
    "Give a picture file ({formats}). {rest!t}": "请给出图片文件（{formats}）。{rest}",
    "To send it all the same, add {option}.": "仍要发送请加上 {option}。",
    "To send it all the same, set {option}.": "仍要发送请设置 {option}。",
    "{url} is not an http(s) URL": "{url} 不是 http(s) 地址",
    "Give a URL that begins with https:// or http://, or give a file as source_images. {rest!t}": (
        "请给出以 https:// 或 http:// 开头的地址，或用 source_images 给出文件。{rest}"
    ),
    "source image {number} is empty": "第 {number} 张源图片为空",
    "Give the picture's bytes.": "请给出图片内容。",
    "cannot read {path}: {reason!t}": "无法读取 {path}：{reason}",
    "Check the path.": "请检查路径。",
    "{number} URLs; the API takes one": "给出了 {number} 个 URL；接口只接受一个",
    "Download the others and give their paths.": "请下载其余图片并给出路径。",
    # The key, the base URL and folders.
    "no API key": "没有密钥",
    "Set {variable} or give --api-key-file; without a key try --sandbox.": (
        "请设置 {variable}，或给出 --api-key-file；没有密钥可用 --sandbox 试用。"
    ),
    "the API key in {place} holds spaces, line breaks or characters that no key has": (
        "{place} 中的密钥含有空格、换行或不可能出现的字符"
    ),
    "cannot read the key file {path}: {reason!t}": "无法读取密钥文件 {path}：{reason}",
    "the key file {path} is empty": "密钥文件 {path} 为空",
    "the key file {path} is larger than any key": "密钥文件 {path} 过大，不是密钥",
    "Put the key in it, and nothing else.": "文件中只放密钥，不要有其他内容。",
    "it is not text": "不是文本",
    "the base URL {url} is not an https URL": "服务地址 {url} 不是 https 地址",
    "the base URL {url} is not encrypted, and would show the key to the network": (
        "服务地址 {url} 没有加密，会在网络上暴露密钥"
    ),
    "the base URL holds a user, a query or a fragment": "服务地址含有用户、查询或片段",
    "Give, for example, {url}.": "例如 {url}。",
    "cannot write in {path}: {reason!t}": "无法写入 {path}：{reason}",
    "Choose another directory; nothing was sent.": "请换一个目录；没有发送。",
    # The answer to a submission.
    "not enough credits ({reply!t})": "积分不足（{reply}）",
    "Buy credits in the vendor's console, then submit again; nothing was billed.": (
        "请在官方控制台充值后再提交；没有扣费。"
    ),
    "the server refused the request ({reply!t})": "服务器拒绝了请求（{reply}）",
    "Change what it names, then submit again.": "请按答复修改后再提交。",
    "the submission was sent, but the reply holds no task id ({reply!t})": "已提交，但答复中没有任务 ID（{reply}）",
    "the submission was sent, but no usable answer came ({reply!t})": "已提交，但没有得到可用的答复（{reply}）",
    "the server refused the API key ({reply!t})": "服务器拒绝了密钥（{reply}）",
    "Check {variable}.": "请检查 {variable}。",
    "too many requests ({reply!t})": "请求过于频繁（{reply}）",
    "Wait, then submit again; nothing was billed.": "请稍候再提交；没有扣费。",
    "Wait {seconds} s, then submit again; nothing was billed.": "请等待 {seconds} 秒再提交；没有扣费。",
    "the server did not get a whole request ({reply!t})": "服务器没有收到完整的请求（{reply}）",
    "Try again.": "请重试。",
    "nothing was sent: {reason!t}": "没有发送：{reason}",
    "Check the network and the base URL, then try again.": "请检查网络和服务地址，然后重试。",
    "{text}; the whole text is in error.reply": "{text}；全文见 error.reply",
    # Tasks and pictures.
    "the query for task {taskid} got no usable answer ({reply!t})": "查询任务 {taskid} 没有得到可用的答复（{reply}）",
    "The task is not lost: try again later.": "任务没有丢失：请稍后再试。",
    "task {taskid} was still {state!t} after {seconds} s": "任务 {taskid} 在 {seconds} 秒后仍为：{state}",
    "Ask again later with the same id: waiting costs nothing.": "请稍后用同一 ID 再查：等待不花钱。",
    "task {taskid} failed: {reason!t}": "任务 {taskid} 失败：{reason}",
    "the service gives no reason": "服务没有说明原因",
    "a task id is printable text, not empty and no URL": "任务 ID 是可显示的文本，不能为空，也不是网址",
    "Give the id that submit returned.": "请给出提交时得到的 ID。",
    "{missing} of {total} pictures of task {taskid} are missing: {reasons!t}": (
        "任务 {taskid} 的 {total} 张图片缺少 {missing} 张：{reasons}"
    ),
    "The task is not lost: save it again with the same id.": "任务没有丢失：请用同一 ID 再次保存。",
    "Its URL has expired; query the task for a new one.": "链接已过期；请重新查询任务。",
    "Query the task again later.": "请稍后再查询任务。",
    # Later messages of the library.
    "A task id was seen in the reply: {taskid}. Query it before you submit again.": (
        "答复中出现了任务 ID：{taskid}。再次提交之前请先查询它。"
    ),
    "Check the base URL: nothing is served at this path. The task is not lost.": (
        "请检查服务地址：这个路径上没有服务。任务没有丢失。"
    ),
    "Check the id. A new task may take a moment to appear.": "请检查 ID。新任务可能要过一会儿才出现。",
    "Copy it again, without 'Bearer' before it.": "请重新复制密钥本身，前面不要带 Bearer。",
    "Free space or choose another directory, then save the task again.": "请腾出空间或换一个目录，然后再次保存任务。",
    "Give an object, which a form cannot hold.": "表单无法表示对象。",
    "Give it as str.": "请以文本给出。",
    "Give only one of them.": "请只给其中一个。",
    "Give the service's own address, for example {url}.": "请给出服务自己的地址，例如 {url}。",
    "It is not sent again. Look in the vendor's console whether the task exists before you submit it again.": (
        "不会再次发送。再次提交之前，请到官方控制台查看任务是否存在。"
    ),
    "The request was not sent whole, so it was probably not billed. It is not sent again. Look in the vendor's console "
    "whether the task exists before you submit it again.": (
        "请求没有发完，所以很可能没有扣费。不会再次发送。再次提交之前，请到官方控制台查看任务是否存在。"
    ),
    "Raise max_bytes if that is expected.": "如果图片确实这么大，请调高 max_bytes。",
    "Set {variable}, or give api_key=.": "请设置 {variable}，或给出 api_key=。",
    "The service does not say whether it was billed: see the vendor's console.": "服务没有说明是否扣费：请到官方控制台查看。",
    "an object of type {type} is not a source image": "类型为 {type} 的对象不是源图片",
    "an object of type {type} is not a list": "类型为 {type} 的对象不是列表",
    "deleting {taskids} got no usable answer ({reply!t})": "删除 {taskids} 没有得到可用的答复（{reply}）",
    "picture {number} of task {taskid}: {reason!t}": "任务 {taskid} 的第 {number} 张图片：{reason}",
    "{number} bytes of {type} came, which are not a picture": "收到 {number} 字节的 {type}，不是图片",
    "at least {size} bytes, more than {limit}": "至少 {size} 字节，超过 {limit}",
    "its URL is not a plain https URL ({details})": "链接不是普通的 https 地址（{details}）",
    "its URL points to {host}, which is not on the public network": "链接指向 {host}，不在公共网络上",
    "more than {number} redirects": "重定向超过 {number} 次",
    "the image host answers {status}": "图片服务器答复 {status}",
    "the picture's end is missing after {number} bytes": "图片在 {number} 字节之后缺少结尾",
    "the service gives {number} of {total} URLs": "服务给出了 {total} 个链接中的 {number} 个",
    "{name}Error: {reason}": "网络错误（{name}Error：{reason}）",
    "{name}Timeout: {reason}": "网络超时（{name}Timeout：{reason}）",
    "task {taskid} was still unanswered after {seconds} s, and the last answer was {reply!t}": (
        "任务 {taskid} 在 {seconds} 秒后仍没有可用的答复，最后一次是：{reply}"
    ),
    "the {what} is of type {type}, not text": "{what} 的类型是 {type}，不是文本",
    "the base URL answers {status} at {path}, the path of this operation ({reply!t})": (
        "服务地址在本接口的路径 {path} 上答复 {status}（{reply}）"
    ),
    "the base URL answers with a redirect ({reply!t}), and a paid request is never redirected": (
        "服务地址答复了重定向（{reply}），而付费请求不会跟随重定向"
    ),
    "the server says twice that it did not get a whole request ({reply!t})": "服务器两次表示没有收到完整的请求（{reply}）",
    "the service does not know the task {taskid} ({reply!t})": "服务器上没有任务 {taskid}（{reply}）",
    "{value} is not an object, which a form cannot hold": "{value} 无法放入表单",
    "{variable} names a SOCKS proxy, for which a package is missing": "{variable} 指定了 SOCKS 代理，但缺少所需的软件包",
    "Install it: {command}.": "请安装：{command}。",
    "{variable} names {path}, which does not exist": "{variable} 指定的 {path} 不存在",
    "Correct or unset the variable.": "请更正或取消这个环境变量。",
    "{variable} is not the URL of a proxy ({kinds})": "{variable} 不是代理地址（{kinds}）",
    "Give, for example, {url}; percent-encode {marks} in user and password.": (
        "例如 {url}；用户名和密码中的 {marks} 需要百分号编码。"
    ),
    # The journal and bulk runs.
    "there is no bulk run in {folder}": "{folder} 中没有批量运行",
    "Start one with a jobs file.": "请用任务文件开始一个。",
    "this journal holds no bulk run": "这个运行记录中没有批量运行",
    "there is no journal at {path}": "{path} 没有运行记录",
    "job {key} is {state!t}, so there is nothing to resolve": "任务 {key} 的状态是 {state}，没有需要处理的",
    "job {key} is {state!t}, so it cannot be dropped": "任务 {key} 的状态是 {state}，不能取消",
    "not in this run": "不在本次运行中",
    "planned": "待发送",
    "submitted": "已提交",
    "succeeded": "已生成",
    "downloaded": "已保存",
    "rejected": "被拒绝",
    "abandoned": "已放弃",
    "this folder's run belongs to the service at {before}, not {after}": "这个文件夹的运行属于服务 {before}，不是 {after}",
    "Use another output folder, or say that the service has moved (moved=True, --moved).": (
        "请换一个输出文件夹，或用 --moved 说明服务地址已变更。"
    ),
    "{path} has lost its last {number} records": "{path} 丢失了最后 {number} 条记录",
    "{path} is not the journal that was here before": "{path} 不是原来的运行记录",
    "{path} is not a journal, or is damaged: {reason}": "{path} 不是运行记录，或已损坏：{reason}",
    "{path} is damaged: {reason}": "{path} 已损坏：{reason}",
    "{path} is empty": "{path} 为空",
    "{path} is a symbolic link": "{path} 是符号链接",
    "{path} cannot be written: {reason!t}": "无法写入 {path}：{reason}",
    "{path} cannot be used: {reason!t}": "无法使用 {path}：{reason}",
    "cannot write {path}: {reason!t}": "无法写入 {path}：{reason}",
    "cannot make {path}: {reason!t}": "无法创建 {path}：{reason}",
    "{path} is on a network file system ({kind}), where a journal is not safe": (
        "{path} 位于网络文件系统（{kind}），运行记录在那里不安全"
    ),
    "Put the journal on a local disk.": "请把运行记录放在本地磁盘上。",
    "Use another journal.": "请使用另一个运行记录。",
    "Use another path for the journal.": "请为运行记录换一个路径。",
    "{folder} has room for {free} bytes, and {expected} are needed": "{folder} 剩余 {free} 字节，需要 {expected} 字节",
    "Make room, check the permissions and the limit of open files, then go on.": (
        "请腾出空间，检查权限和打开文件数的上限，然后继续。"
    ),
    "Check the folder, its permissions and the free space.": "请检查文件夹、权限和剩余空间。",
    "Check the id.": "请检查 ID。",
    "Check it, then resume.": "请检查后继续。",
    "task {taskid} belongs to another job already": "任务 {taskid} 已属于另一条任务",
    "{file} has changed since its jobs were planned: {details}": "{file} 在安排任务之后有改动：{details}",
    "the submission cannot be recorded ({details})": "无法记录这次提交（{details}）",
    "Make room, or set {variable} to a folder that can be written.": "请腾出空间，或把 {variable} 设为可写的文件夹。",
    "cannot serve on {host} port {port}: {reason}": "无法在 {host} 端口 {port} 提供服务：{reason}",
    "Choose another with --host, --port or --images-port; port 0 takes a free one.": (
        "请用 --host、--port 或 --images-port 另选；端口 0 自动选择空闲端口。"
    ),
    "cannot use the file {path}: {reason!t}": "无法使用文件 {path}：{reason}",
    "Choose another with --ledger, --tls-cert or --tls-key.": "请用 --ledger、--tls-cert 或 --tls-key 另选。",
    # The operating system.
    "No such file or directory": "没有那个文件或目录",
    "Permission denied": "权限不够",
    "the path holds a null character": "路径含有空字符",
    "Is a directory": "是一个目录",
    "Not a directory": "不是目录",
    "File exists": "文件已存在",
    "No space left on device": "磁盘空间不足",
    "Disk quota exceeded": "超出磁盘配额",
    "Read-only file system": "文件系统只读",
    "Too many open files": "打开的文件过多",
    "Cannot allocate memory": "内存不足",
    "can't start new thread": "无法启动新线程",
    "Input/output error": "输入/输出错误",
}
