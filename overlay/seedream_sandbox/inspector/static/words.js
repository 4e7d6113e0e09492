// The page's words in one table: English, Chinese. A word that depends on values is a function.
export const LANGUAGES = ["en", "zh"];
export const WORDS = {
  title: ["Sandbox", "模拟服务"],
  other_language: ["中文", "English"],
  live: ["live", "实时"],
  lost: ["not running", "未运行"],
  tasks: ["Tasks", "任务"],
  requests: ["Requests", "请求"],
  to_tasks: ["Tasks", "任务"],
  to_requests: ["Requests", "请求"],
  to_top: ["Top", "顶部"],
  jump: ["Parts of this page", "页面导航"],
  credits: ["Credits left", "剩余积分"],
  credits_of: [
    (start, accounts) => (accounts > 1 ? `of ${start}, in ${accounts} accounts` : `of ${start}`),
    (start, accounts) => (accounts > 1 ? `共 ${start}，${accounts} 个账户` : `共 ${start}`),
  ],
  charged: ["Images charged", "已计费图片"],
  charged_note: ["no real cost", "无实际费用"],
  verdicts: ["API requests", "API 请求"],
  verdicts_note: [
    (v) => `${v.accepted} accepted, ${v.refused} refused, ${v.fault} faulty`,
    (v) => `接受 ${v.accepted}，拒绝 ${v.refused}，故障 ${v.fault}`,
  ],
  in_force: ["Faults in force", "生效的故障"],
  in_force_none: ["everything works", "一切正常"],
  in_force_some: ["things go wrong on purpose", "正在按要求出错"],
  add_fault: ["make something go wrong: cut-reply nth=2", "制造故障：cut-reply nth=2"],
  add: ["Add", "添加"],
  clear: ["Clear", "清除"],
  no_tasks: ["No task yet. Send the first one:", "还没有任务。发送第一个："],
  no_requests: ["No request yet.", "还没有请求。"],
  queued: ["queued", "排队中"],
  processing: ["processing", "处理中"],
  completed: ["completed", "已完成"],
  failed: ["failed", "失败"],
  unknown: ["unknown status", "未知状态"],
  deleted: ["deleted", "已删除"],
  accepted: ["accepted", "已接受"],
  refused: ["refused", "已拒绝"],
  fault: ["fault", "故障"],
  pictures: [(n) => (n === 1 ? "1 picture" : `${n} pictures`), (n) => `${n} 张图片`],
  sources: [(n) => (n === 1 ? "1 source image" : `${n} source images`), (n) => `${n} 张源图片`],
  showing: [(n, all) => (n < all ? `latest ${n} of ${all}` : `${all}`), (n, all) => (n < all ? `最近 ${n} / ${all}` : `${all}`)],
  fields: ["Fields", "字段"],
  files: ["Files", "文件"],
  headers: ["Headers", "请求头"],
  no_reply: ["no reply", "无响应"],
  picture: [(n) => `picture ${n}`, (n) => `图片 ${n}`],
  image_host: ["image host", "图片主机"],
  bytes: ["bytes", "字节"],
  task: ["Task", "任务"],
  theme_auto: ["Auto", "自动"],
  theme_light: ["Light", "浅色"],
  theme_dark: ["Dark", "深色"],
  leak: ["The image host was sent a credential:", "图片主机收到了凭据："],
};

let language = "en";

/** The language in use: `en` or `zh`. */
export const current = () => language;

/** Use a language. */
export function speak(next) {
  language = LANGUAGES.includes(next) ? next : "en";
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
}

/** A word in the language in use; words that depend on values take them. */
export function word(key, ...values) {
  const found = WORDS[key]?.[LANGUAGES.indexOf(language)];
  return typeof found === "function" ? found(...values) : found;
}
