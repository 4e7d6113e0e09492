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

# English text -> Chinese text. ``{name}`` stands for any text, which is kept; the text of ``{name!t}`` is translated.
MESSAGES: Final[Mapping[str, str]] = {
    "Error:": "错误：",
}
