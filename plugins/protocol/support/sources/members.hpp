// The JSON object that a REST request brings, read member by member.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tapedeck::sources {

/// What cannot be read is thrown as Error TD_MALFORMED, which names the member and its value.
class Members {
public:
    /// A whole body; an empty one has no members.
    explicit Members(std::string_view body);

    bool has(const char* name) const { return object_.contains(name); }
    /// `otherwise` null: the member must be there.
    std::string text(const char* name, const char* otherwise = nullptr) const;
    /// Also as a text, `"true"` or `"false"`, as Flashphoner's own examples have it.
    bool flag(const char* name, bool otherwise) const;
    double number(const char* name, double least, double most, double otherwise) const;
    std::vector<std::string> texts(const char* name) const;
    /// The object in this member; errors name its members behind `name` and a dot.
    std::optional<Members> object(const char* name) const;

private:
    Members(boost::json::object object, std::string where) : object_(std::move(object)), where_(std::move(where)) {}
    [[noreturn]] void refuse(const char* name, const std::string& what) const;

    boost::json::object object_;
    std::string where_;
};

/// Which of the sources a request means; an empty text was not given and fits all.
struct Filter {
    std::string uri, stream, media_session;

    /// Throws Error TD_MALFORMED when nothing is given.
    static Filter read(const Members& members);
    bool matches(std::string_view its_uri, std::string_view its_stream, std::string_view its_session) const {
        return (uri.empty() || uri == its_uri) && (stream.empty() || stream == its_stream) &&
               (media_session.empty() || media_session == its_session);
    }
};

}  // namespace tapedeck::sources
