#include "amf.hpp"

#include <algorithm>
#include <bit>

namespace tapedeck::rtmp::amf {

namespace {

enum Marker : std::uint8_t {
    number_marker = 0,
    boolean_marker = 1,
    string_marker = 2,
    object_marker = 3,
    null_marker = 5,
    undefined_marker = 6,
    reference_marker = 7,
    ecma_array_marker = 8,
    object_end_marker = 9,
    strict_array_marker = 10,
    date_marker = 11,
    long_string_marker = 12,
    unsupported_marker = 13,
    xml_marker = 15,
    typed_object_marker = 16,
};

constexpr int depth_max = 16;

std::string text(ByteSpan bytes) {
    return {bytes.begin(), bytes.end()};
}

Value read_nested(ByteReader& reader, int depth);

/// Members up to the end marker. Some encoders leave it out at the end of a message.
Object read_members(ByteReader& reader, int depth) {
    Object object;
    while (!reader.empty()) {
        auto name = text(reader.take(reader.u16()));
        if (name.empty() && !reader.empty() && reader.rest()[0] == object_end_marker) {
            reader.u8();
            break;
        }
        object.members.emplace_back(std::move(name), read_nested(reader, depth));
    }
    return object;
}

Value read_nested(ByteReader& reader, int depth) {
    if (depth > depth_max) throw Malformed("AMF values nested deeper than " + std::to_string(depth_max));
    const auto marker = reader.u8();
    switch (marker) {
        case number_marker:
            return std::bit_cast<double>(reader.u64());
        case boolean_marker:
            return reader.u8() != 0;
        case string_marker:
            return text(reader.take(reader.u16()));
        case object_marker:
            return read_members(reader, depth + 1);
        case null_marker:
            return Null{};
        case reference_marker:
            reader.u16();
            return Undefined{};
        case undefined_marker:
        case unsupported_marker:
            return Undefined{};
        case ecma_array_marker:
            reader.u32();
            return read_members(reader, depth + 1);
        case strict_array_marker: {
            Array array;
            for (auto count = reader.u32(); count > 0; --count) array.push_back(read_nested(reader, depth + 1));
            return array;
        }
        case date_marker: {
            const auto time = std::bit_cast<double>(reader.u64());
            reader.u16();  // time zone, always 0
            return time;
        }
        case long_string_marker:
        case xml_marker:
            return text(reader.take(reader.u32()));
        case typed_object_marker:
            reader.take(reader.u16());
            return read_members(reader, depth + 1);
        default:
            throw Malformed("AMF marker " + std::to_string(marker) + " is unknown");
    }
}

void put(std::vector<std::uint8_t>& out, std::uint64_t value, int bytes) {
    while (bytes-- > 0) out.push_back(static_cast<std::uint8_t>(value >> (8 * bytes)));
}

void put_name(std::vector<std::uint8_t>& out, std::string_view name) {
    name = name.substr(0, 0xffff);
    put(out, name.size(), 2);
    out.insert(out.end(), name.begin(), name.end());
}

struct Writer {
    std::vector<std::uint8_t>& out;

    void operator()(Undefined) const { out.push_back(undefined_marker); }
    void operator()(Null) const { out.push_back(null_marker); }
    void operator()(bool value) const {
        out.insert(out.end(), {boolean_marker, value ? std::uint8_t{1} : std::uint8_t{0}});
    }
    void operator()(double value) const {
        out.push_back(number_marker);
        put(out, std::bit_cast<std::uint64_t>(value), 8);
    }
    void operator()(const std::string& value) const {
        const bool is_long = value.size() > 0xffff;
        out.push_back(is_long ? long_string_marker : string_marker);
        put(out, value.size(), is_long ? 4 : 2);
        out.insert(out.end(), value.begin(), value.end());
    }
    void operator()(const Object& value) const {
        out.push_back(object_marker);
        for (const auto& [name, member] : value.members) {
            put_name(out, name);
            write(out, member);
        }
        out.insert(out.end(), {0, 0, object_end_marker});
    }
    void operator()(const Array& value) const {
        out.push_back(strict_array_marker);
        put(out, value.size(), 4);
        for (const auto& member : value) write(out, member);
    }
};

}  // namespace

const Value* Object::find(std::string_view name) const {
    const auto found =
        std::ranges::find(members, name, [](const auto& member) -> std::string_view { return member.first; });
    return found == members.end() ? nullptr : &found->second;
}

Object& Object::set(std::string_view name, Value value) {
    members.emplace_back(std::string(name), std::move(value));
    return *this;
}

bool Object::operator==(const Object& other) const {
    return members == other.members;
}

std::string_view Value::text() const {
    const auto* held = std::get_if<std::string>(this);
    return held ? std::string_view(*held) : std::string_view();
}

double Value::number(double fallback) const {
    const auto* held = std::get_if<double>(this);
    return held ? *held : fallback;
}

Value read(ByteReader& reader) {
    return read_nested(reader, 0);
}

std::vector<Value> read_all(ByteSpan bytes) {
    ByteReader reader(bytes);
    std::vector<Value> values;
    while (!reader.empty()) values.push_back(read(reader));
    return values;
}

void write(std::vector<std::uint8_t>& out, const Value& value) {
    std::visit(Writer{out},
               static_cast<const std::variant<Undefined, Null, bool, double, std::string, Object, Array>&>(value));
}

}  // namespace tapedeck::rtmp::amf
