#include "plugin/metrics_service.hpp"

#include <algorithm>
#include <string>

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/text.hpp"

namespace tapedeck::host {
namespace {

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= 100 && is_letter(name.front()) &&
           std::ranges::all_of(name, [](char c) { return is_letter(c) || is_digit(c); });
}

/// `reason="disk",stream="a"`: names, quoted values with `\` before `"`, `\` and n, commas between.
bool is_label_set(std::string_view labels) {
    while (!labels.empty()) {
        const auto equals = labels.find("=\"");
        if (equals == std::string_view::npos || !is_name(labels.substr(0, equals))) return false;
        std::size_t at = equals + 2;
        while (at < labels.size() && labels[at] != '"') {
            if (static_cast<unsigned char>(labels[at]) < 0x20) return false;
            at += labels[at] == '\\' ? 2 : 1;
        }
        if (at >= labels.size()) return false;
        labels.remove_prefix(at + 1);
        if (labels.empty()) return true;
        if (labels.front() != ',' || labels.size() == 1) return false;
        labels.remove_prefix(1);
    }
    return true;
}

using Find = metrics::Value& (*)(std::string_view, std::string_view, std::string_view);

void* find(Find find_or_make, td_text name, td_text labels, td_text help) noexcept {
    try {
        if (!is_name(view(name)) || !is_label_set(view(labels))) {
            log::error("a plugin's metric {}{{{}}} is not counted: Prometheus would refuse the name or the labels",
                       printable(view(name)), printable(view(labels)));
            return nullptr;
        }
        constexpr std::string_view prefix = "tapedeck_";
        std::string full(view(name).starts_with(prefix) ? "" : prefix);
        full += view(name);
        return &find_or_make(full, view(labels), printable(view(help)));
    } catch (const std::exception&) {
        return nullptr;
    }
}

void* counter(td_text name, td_text labels, td_text help) {
    return find(metrics::counter, name, labels, help);
}
void* gauge(td_text name, td_text labels, td_text help) {
    return find(metrics::gauge, name, labels, help);
}

void add(void* value, std::int64_t by) {
    if (value != nullptr) static_cast<metrics::Value*>(value)->fetch_add(by, std::memory_order_relaxed);
}

void set(void* value, std::int64_t to) {
    if (value != nullptr) static_cast<metrics::Value*>(value)->store(to, std::memory_order_relaxed);
}

constexpr td_metrics metrics_table{
    .size = sizeof(td_metrics), .reserved = 0, .counter = counter, .add = add, .gauge = gauge, .set = set};

}  // namespace

const td_metrics& metrics_service() {
    return metrics_table;
}

}  // namespace tapedeck::host
