// AAC in LATM (ISO/IEC 14496-3 section 1.7): multiplex elements, whose frames begin at any bit.
#pragma once

#include <vector>

#include "tapedeck/media/bytes.hpp"

namespace tapedeck::mpegts {

/// One program with one layer and frames of their own lengths, which is what is broadcast. One thread.
class LatmReader {
public:
    /// The frames of one AudioMuxElement(1), each as a raw_data_block; valid until the next call. None before a
    /// configuration came. Throws Malformed.
    const std::vector<Bytes>& read(ByteSpan element);
    /// The AudioSpecificConfig of what was read last; empty: none came.
    const Bytes& config() const { return config_; }

private:
    void read_config(BitReader& bits, ByteSpan element);

    Bytes config_;
    unsigned frames_ = 1;         // of an element
    std::size_t other_bits_ = 0;  // behind them
    std::vector<Bytes> out_;
};

}  // namespace tapedeck::mpegts
