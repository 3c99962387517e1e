// AMF0 values, RTMP's way to write commands and metadata (Adobe's AMF0 specification).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tapedeck/media/bytes.hpp"

namespace tapedeck::rtmp::amf {

struct Value;
struct Null {
    bool operator==(const Null&) const = default;
};
struct Undefined {
    bool operator==(const Undefined&) const = default;
};
/// Objects, typed objects and ECMA arrays: members in their order.
struct Object {
    std::vector<std::pair<std::string, Value>> members;

    /// Null when there is none; of several the first.
    const Value* find(std::string_view name) const;
    Object& set(std::string_view name, Value value);
    bool operator==(const Object&) const;
};
using Array = std::vector<Value>;

/// One value. Dates become numbers (milliseconds since 1970), XML and long strings become strings.
struct Value : std::variant<Undefined, Null, bool, double, std::string, Object, Array> {
    using variant::variant;
    Value(const char* text) : variant(std::string(text)) {}
    Value(std::string_view text) : variant(std::string(text)) {}

    /// The text, or an empty one where the value is something else.
    std::string_view text() const;
    /// The number, or `fallback` where the value is something else.
    double number(double fallback = 0) const;
    const Object* object() const { return std::get_if<Object>(this); }
};

/// The next value. Throws Malformed, also on values nested too deep, and on AMF3, which this server tells clients not
/// to use.
Value read(ByteReader& reader);
/// All values up to the end.
std::vector<Value> read_all(ByteSpan bytes);
/// Appends `value` to `out`.
void write(std::vector<std::uint8_t>& out, const Value& value);

}  // namespace tapedeck::rtmp::amf
