// The page's words in both languages; keys are the same in each (a test compares them).
export const WORDS = {
  en: {
    title: "Sandbox",
    other_language: "中文",
    live: "live",
    lost: "not running",
    tasks: "Tasks",
    requests: "Requests",
    credits: "Credits left",
    credits_of: (start) => `of ${start}`,
    charged: "Images charged",
    charged_note: "no real cost",
    verdicts: "API requests",
    verdicts_note: (v) => `${v.accepted} accepted, ${v.refused} refused, ${v.fault} faulty`,
    in_force: "Faults in force",
    in_force_none: "everything works",
    in_force_some: "things go wrong on purpose",
    add_fault: "make something go wrong: cut-reply nth=2",
    add: "Add",
    clear: "Clear",
    no_tasks: "No task yet. Send the first one:",
    no_requests: "No request yet.",
    queued: "queued",
    processing: "processing",
    completed: "completed",
    failed: "failed",
    unknown: "unknown status",
    deleted: "deleted",
    accepted: "accepted",
    refused: "refused",
    fault: "fault",
    pictures: (n) => (n === 1 ? "1 picture" : `${n} pictures`),
    sources: (n) => (n === 1 ? "1 source image" : `${n} source images`),
    showing: (n, all) => (n < all ? `latest ${n} of ${all}` : `${all}`),
    fields: "Fields",
    files: "Files",
    headers: "Headers",
    no_reply: "no reply",
    picture: (n) => `picture ${n}`,
    image_host: "image host",
    bytes: "bytes",
    task: "Task",
    theme_auto: "Auto",
    theme_light: "Light",
    theme_dark: "Dark",
    leak: "The image host was sent a credential:",
  },
  zh: {
    title: "沙盒",
    other_language: "English",
    live: "实时",
    lost: "未运行",
    tasks: "任务",
    requests: "请求",
    credits: "剩余积分",
    credits_of: (start) => `共 ${start}`,
    charged: "已计费图片",
    charged_note: "无实际费用",
    verdicts: "API 请求",
    verdicts_note: (v) => `接受 ${v.accepted}，拒绝 ${v.refused}，故障 ${v.fault}`,
    in_force: "生效的故障",
    in_force_none: "一切正常",
    in_force_some: "正在按要求出错",
    add_fault: "制造故障：cut-reply nth=2",
    add: "添加",
    clear: "清除",
    no_tasks: "还没有任务。发送第一个：",
    no_requests: "还没有请求。",
    queued: "排队中",
    processing: "处理中",
    completed: "已完成",
    failed: "失败",
    unknown: "未知状态",
    deleted: "已删除",
    accepted: "已接受",
    refused: "已拒绝",
    fault: "故障",
    pictures: (n) => `${n} 张图片`,
    sources: (n) => `${n} 张源图片`,
    showing: (n, all) => (n < all ? `最近 ${n} / ${all}` : `${all}`),
    fields: "字段",
    files: "文件",
    headers: "请求头",
    no_reply: "无响应",
    picture: (n) => `图片 ${n}`,
    image_host: "图片主机",
    bytes: "字节",
    task: "任务",
    theme_auto: "自动",
    theme_light: "浅色",
    theme_dark: "深色",
    leak: "图片主机收到了凭据：",
  },
};

let language = "en";

/** The language in use: `en` or `zh`. */
export const current = () => language;

/** Use a language. */
export function speak(next) {
  language = next in WORDS ? next : "en";
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
}

/** A word in the language in use; words that depend on values take them. */
export function word(key, ...values) {
  const found = WORDS[language][key];
  return typeof found === "function" ? found(...values) : found;
}
