#include "adts.hpp"

#include <algorithm>
#include <string>

#include "tapedeck/context.hpp"
#include "tapedeck/media/aac.hpp"

namespace tapedeck::ts {
namespace {

constexpr std::size_t longest_frame = 0x1fff;
constexpr std::uint32_t program_config_element = 5;  // its id_syn_ele

[[noreturn]] void refuse(const std::string& what) {
    throw Error(TD_UNSUPPORTED, "AAC in ADTS cannot have " + what);
}

/// Copies bits, most significant first.
class BitCopy {
public:
    explicit BitCopy(BitReader& from) : from_(from) {}

    std::uint32_t copy(unsigned count) {
        const std::uint32_t value = from_.bits(count);
        put(value, count);
        return value;
    }
    void put(std::uint32_t value, unsigned count) {
        while (count-- > 0) {
            if (used_ % 8 == 0) out_.push_back(0);
            out_.back() |= static_cast<std::uint8_t>((value >> count & 1) << (7 - used_ % 8));
            ++used_;
        }
    }
    /// Both go on at their next whole byte.
    void align() {
        from_.bits(static_cast<unsigned>(from_.left() % 8));
        used_ = out_.size() * 8;
    }
    std::vector<std::uint8_t> take() { return std::move(out_); }

private:
    BitReader& from_;
    std::vector<std::uint8_t> out_;
    std::size_t used_ = 0;
};

/// The program config element of a config whose channel configuration is 0 (ISO/IEC 14496-3 sections 1.6.2.1, 4.4.1),
/// as the first element of a frame: there it begins at another bit, and its alignment is the frame's.
std::vector<std::uint8_t> program_config(ByteSpan config) {
    BitReader bits(config);
    const auto skip_rate = [&bits] {
        if (bits.bits(4) == 15) bits.bits(24);
    };
    const auto object_type = bits.bits(5);
    skip_rate();
    bits.bits(4);                                 // channelConfiguration: 0
    if (object_type == 5 || object_type == 29) {  // SBR, PS: the core's type follows
        skip_rate();
        bits.bits(5);
    }
    bits.flag();                     // frameLengthFlag
    if (bits.flag()) bits.bits(14);  // coreCoderDelay
    bits.flag();                     // extensionFlag

    BitCopy element(bits);
    element.put(program_config_element, 3);
    element.copy(4 + 2 + 4);             // element_instance_tag, object_type, sampling_frequency_index
    std::uint32_t wide = 0, narrow = 0;  // elements of 5 and of 4 bits
    for (int place = 0; place < 3; ++place) wide += element.copy(4);  // front, side, back
    narrow += element.copy(2);                                        // LFE
    narrow += element.copy(3);                                        // associated data
    wide += element.copy(4);                                          // coupling
    for (const unsigned mixdown : {4u, 4u, 3u})                       // mono, stereo, matrix
        if (element.copy(1) != 0) element.copy(mixdown);
    // The order of the lists does not matter for a copy.
    for (std::uint32_t i = 0; i < wide * 5 + narrow * 4; ++i) element.copy(1);
    element.align();
    for (std::uint32_t comment = element.copy(8); comment > 0; --comment) element.copy(8);
    return element.take();
}

}  // namespace

AdtsFramer::AdtsFramer(ByteSpan config) {
    const aac::Config parsed = aac::parse_config(config);
    const auto rate = std::ranges::find(aac::sample_rates, parsed.sample_rate);
    if (parsed.object_type < 1 || parsed.object_type > 4) {
        refuse("audio object type " + std::to_string(parsed.object_type));
    }
    if (rate == aac::sample_rates.end()) refuse("a sample rate of " + std::to_string(parsed.sample_rate) + " Hz");
    if (parsed.samples_per_frame != 1024) refuse("frames of " + std::to_string(parsed.samples_per_frame) + " samples");
    if (parsed.channels > 8 || parsed.channels == 7) {
        refuse("channel configuration " + std::to_string(parsed.channels));
    }
    const auto index = static_cast<std::uint32_t>(rate - aac::sample_rates.begin());
    const std::uint32_t channels = parsed.channels == 8 ? 7 : parsed.channels;
    header_ = {0xff,
               0xf1,  // MPEG-4, no CRC
               static_cast<std::uint8_t>((parsed.object_type - 1) << 6 | index << 2 | channels >> 2),
               static_cast<std::uint8_t>((channels & 3) << 6),
               0,
               0x1f,  // the buffer's fullness is not told
               0xfc};
    if (channels == 0) program_config_ = program_config(config);
}

void AdtsFramer::append(std::vector<std::uint8_t>& into, ByteSpan frame) const {
    const std::size_t size = header_.size() + program_config_.size() + frame.size();
    if (size > longest_frame) throw Malformed("an AAC frame of " + std::to_string(frame.size()) + " bytes");
    auto header = header_;
    header[3] |= static_cast<std::uint8_t>(size >> 11);
    header[4] = static_cast<std::uint8_t>(size >> 3);
    header[5] |= static_cast<std::uint8_t>((size & 7) << 5);
    into.insert(into.end(), header.begin(), header.end());
    into.insert(into.end(), program_config_.begin(), program_config_.end());
    into.insert(into.end(), frame.begin(), frame.end());
}

std::optional<std::size_t> adts_frame_size(ByteSpan bytes) {
    if (bytes.size() < 7 || bytes[0] != 0xff || (bytes[1] & 0xf6) != 0xf0) return std::nullopt;
    const std::size_t size = (bytes[3] & 3u) << 11 | static_cast<std::size_t>(bytes[4]) << 3 | bytes[5] >> 5;
    if (size < 7) return std::nullopt;
    return size;
}

}  // namespace tapedeck::ts
