#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "api/answers.hpp"
#include "api/file_answer.hpp"
#include "api/part_times.hpp"
#include "api/routes.hpp"
#include "api/url.hpp"
#include "base/at_once.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

namespace tapedeck::host::api {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "/client/records/";

/// What all requests for records share.
struct Files {
    RecordFiles& files;
    RecordCuts& cuts;
    CurrentRestOptions options;
};

/// One request for one record.
class RecordRequest {
public:
    RecordRequest(const Files& parts, const Request& request, const Answer& answer)
        : parts_(parts), request_(request), answer_(answer) {}

    void run() const {
        guarded([&] { answer_record(); });
    }

    /// Answers with a finished record or a part made before, where nothing has to be waited for. False: `run` is to.
    bool run_at_once() const {
        const auto name = file_name(std::string_view(request_.path).substr(prefix.size()));
        if (!name) return false;
        const fs::path path = parts_.files.place_of(*name);
        if (path.empty()) return false;
        auto content = parts_.cuts.can_cut(*name) ? part_at_once(path, *name) : file_at_once(path, *name);
        if (!content) return false;
        send(*content);
        return true;
    }

private:
    void answer_record() const {
        const auto name = file_name(std::string_view(request_.path).substr(prefix.size()));
        if (!name) return missing();
        const auto located = parts_.files.locate(*name);
        if (located.state == RecordFiles::State::Missing) return missing();
        if (located.path.empty()) {
            return answer_(
                error_answer(404, "this recording is still running and nothing of it can be sent yet", request_.path));
        }
        const bool can_cut = parts_.cuts.can_cut(*name);
        std::optional<RecordCuts::Times> times;
        try {
            if (can_cut) times = parse_part_times(request_.query);
        } catch (const Error& reason) {
            return failed(reason);
        }
        if (located.state == RecordFiles::State::Running) return answer_running(located, *name, can_cut, times);
        if (times) return answer_part(located.path, *name, *times);
        answer_file(located.path, *name);
    }

    std::optional<FileContent> file_at_once(const fs::path& path, const std::string& name) const {
        const int descriptor = open_at_once(path);
        if (descriptor < 0) return {};
        auto content = content_of(std::make_shared<const OpenFile>(descriptor, true), path, name);
        if (content) content->warning = warning(name);
        return content;
    }

    std::optional<FileContent> part_at_once(const fs::path& source, const std::string& name) const {
        std::optional<RecordCuts::Times> times;
        try {
            times = parse_part_times(request_.query);
        } catch (const Error&) {
            return {};  // `run` says what is wrong
        }
        if (!times) return file_at_once(source, name);
        auto part = parts_.cuts.kept(source, name, *times);
        if (!part) return {};
        return content_of(std::move(part->file), part->path, part->path.filename().string());
    }

    void answer_file(const fs::path& path, const std::string& name) const {
        auto content = open_file(path, name);
        if (!content) return missing();
        content->warning = warning(name);
        send(*content);
    }

    void answer_part(const fs::path& source, const std::string& name, const RecordCuts::Times& times) const {
        parts_.cuts.cut(source, name, times, [self = *this](const fs::path* part, const Error* reason) {
            if (reason != nullptr) return self.failed(*reason);
            self.guarded([&] { self.answer_file(*part, part->filename().string()); });
        });
    }

    /// As far as it is written. The bytes of an MP4 file without its index make players read all of it first.
    void answer_running(const RecordFiles::Located& located, const std::string& name, bool can_cut,
                        const std::optional<RecordCuts::Times>& times) const {
        const bool plays_as_it_is = !name.ends_with(".mp4");
        if (!can_cut && !plays_as_it_is) {
            return answer_(
                error_answer(404, "this recording is still running; it is offered when it has ended", request_.path));
        }
        if (times || !plays_as_it_is) return answer_snapshot(located, name, times.value_or(RecordCuts::Times{}));
        auto content = open_file(located.path, name);
        if (!content) return missing();
        content->version.reset();
        content->is_final = false;
        content->warning = warning(name);
        content->hold = located.hold;
        send(*content);
    }

    void answer_snapshot(const RecordFiles::Located& located, const std::string& name,
                         const RecordCuts::Times& times) const {
        const auto range = parse_range(request_.header("range"), UINT64_MAX);
        const bool goes_on = range.kind == RangeRequest::Kind::Part && range.part.first > 0;
        const RecordCuts::Viewer viewer{fmt::format("{} {}", request_.remote, request_.header("user-agent")), goes_on};
        const auto done = [self = *this, name, hold = located.hold](const RecordCuts::Snapshot* made,
                                                                    const Error* reason) {
            if (reason != nullptr) return self.failed(*reason);
            self.guarded([&] { self.send({name, made->files, Version{made->etag, made->made}, false, {}, hold}); });
        };
        parts_.cuts.snapshot(located, name, times, viewer, done);
    }

    /// That the whole file comes where a part was asked for.
    std::string warning(const std::string& name) const {
        if (!query_has(request_.query, "start") && !query_has(request_.query, "end")) return {};
        const std::string setting = parts_.cuts.setting_for(name);
        if (setting.empty()) return {};
        return fmt::format("this is the whole file; parts of such files are cut where {} is true", setting);
    }

    void send(const FileContent& content) const {
        answer_(file_answer(request_, content, parts_.options().disposition));
    }

    void missing() const { answer_(error_answer(404, "no such recording", request_.path)); }

    void failed(const Error& reason) const {
        const int status = status_of(reason);
        if (status >= 500) log::warning("{}: {}", printable(request_.target, 400), reason.what());
        answer_(error_answer(status, reason.what(), request_.path));
    }

    /// Runs what answers; what it throws is the answer otherwise.
    template <class Call>
    void guarded(Call call) const {
        try {
            call();
        } catch (const std::exception& reason) {
            log::error("{}: {}", printable(request_.path, 400), reason.what());
            answer_(error_answer(500, "the file cannot be read; the server's log says why", request_.path));
        }
    }

    const Files parts_;
    const Request request_;
    const Answer answer_;
};

}  // namespace

void add_file_routes(Router& router, RecordFiles& files, RecordCuts& cuts, Workers& workers,
                     CurrentRestOptions options) {
    const Files parts{files, cuts, std::move(options)};
    router.add({"GET"}, std::string(prefix) + "*", [parts, &workers](const Request& request, const Answer& answer) {
        const RecordRequest asked(parts, request, answer);
        if (asked.run_at_once()) return;
        if (workers.post([asked] { asked.run(); })) return;
        answer(error_answer(503, "too many requests wait for the disk", request.path));
    });
}

}  // namespace tapedeck::host::api
