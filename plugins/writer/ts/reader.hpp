// Parts of MPEG-TS files, as files of their own.
#pragma once

#include <cstdint>

#include "tapedeck/plugin.hpp"

namespace tapedeck::ts {

/// One file of any writer, finished or still written. Threads: td_reader in abi.h.
class TsReader : public Reader {
public:
    static constexpr const char* id = "ts";
    static constexpr const char* doc = "Parts of MPEG-TS files, from a key picture on";
    static constexpr const char* extension = "ts";

    TsReader(Context context, File file) : context_(context), file_(file) {}

    /// As plan_cut of cut.hpp says; always from a key picture on, exact or not. Throws Error: TD_MALFORMED for what is
    /// no transport stream, TD_CANCELLED when the host asks for it.
    void cut(std::int64_t from_us, std::int64_t to_us, bool exact, File target);

private:
    Context context_;
    File file_;
};

}  // namespace tapedeck::ts
