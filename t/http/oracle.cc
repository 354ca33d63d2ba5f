// Every rule is a few lines over a cursor. What stands in no RFC is said to be ours.

#include "http/oracle.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <sstream>

namespace {

// -- Characters (RFC 5234, B.1; RFC 9110, 5.6.2; RFC 3986, 2)

using Byte = unsigned char;

const std::string digits = "0123456789";
const std::string hexdigits = digits + "ABCDEFabcdef";
const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const std::string token_characters = "!#$%&'*+-.^_`|~" + digits + letters;
const std::string unreserved = letters + digits + "-._~";
const std::string sub_delims = "!$&'()*+,;=";

bool is_in(const std::string &set, Byte byte)
{
    return set.find(static_cast<char>(byte)) != std::string::npos;
}

bool is_visible(Byte byte)
{
    return byte >= 0x21 && byte <= 0x7e;
}

// field-vchar, SP and HTAB (RFC 9110, 5.5)
bool is_value_byte(Byte byte)
{
    return is_visible(byte) || byte >= 0x80 || byte == ' ' || byte == '\t';
}

std::string lower(std::string text)
{
    for (char &c : text)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    return text;
}

// Without OWS around it (RFC 9110, 5.6.3).
std::string trim(const std::string &text)
{
    size_t start = text.find_first_not_of(" \t"), last = text.find_last_not_of(" \t");
    return start == std::string::npos ? "" : text.substr(start, last - start + 1);
}

bool is_token(const std::string &text)
{
    return !text.empty() && text.find_first_not_of(token_characters) == std::string::npos;
}

std::vector<std::string> split(const std::string &text, const std::string &separators)
{
    std::vector<std::string> parts = {""};
    for (char c : text)
        if (separators.find(c) != std::string::npos)
            parts.emplace_back();
        else
            parts.back() += c;
    return parts;
}

// -- The cursor

struct Incomplete {};

struct Refused {
    enum http_fault fault;
};

// A wrong byte. Where it is CR or LF, a line ends too early or not with CRLF.
[[noreturn]] void refuse(Byte byte, enum http_fault fault)
{
    throw Refused{byte == '\r' || byte == '\n' ? HTTP_BAD_LINE_END : fault};
}

// Reads on from a place. Beyond `stop` a line, or the head, is too long, whatever comes.
class Cursor {
  public:
    Cursor(const std::string &its_bytes, size_t start) : position(start), bytes(its_bytes) {}

    Byte peek() const
    {
        if (position == stop)
            throw Refused{too_long};
        if (position == bytes.size())
            throw Incomplete();
        return static_cast<Byte>(bytes[position]);
    }

    Byte take()
    {
        Byte byte = peek();
        position++;
        return byte;
    }

    void expect(Byte wanted, enum http_fault fault)
    {
        if (peek() != wanted)
            refuse(peek(), fault);
        position++;
    }

    void expect_text(const std::string &wanted, enum http_fault fault)
    {
        for (char c : wanted)
            expect(static_cast<Byte>(c), fault);
    }

    // As many as there are of the set.
    std::string take_all(const std::string &set)
    {
        std::string taken;
        while (is_in(set, peek()))
            taken += static_cast<char>(take());
        return taken;
    }

    // At least one.
    std::string take_some(const std::string &set, enum http_fault fault)
    {
        if (!is_in(set, peek()))
            refuse(peek(), fault);
        return take_all(set);
    }

    // RFC 9112, 2.2: CRLF and nothing else.
    void line_end()
    {
        expect('\r', HTTP_BAD_LINE_END);
        if (take() != '\n')
            throw Refused{HTTP_BAD_LINE_END};
    }

    std::string text(size_t start, size_t end) const
    {
        return bytes.substr(start, end - start);
    }

    size_t position;
    size_t stop = std::string::npos;
    enum http_fault too_long = HTTP_LONG_HEAD;

  private:
    const std::string &bytes;
};

// -- Hosts (RFC 3986, 3.2.2 and 3.2.3)

// Ours: no IPvFuture, no zone, and at least one character (RFC 9110, 4.2.1).
bool is_host(const std::string &text)
{
    if (!text.empty() && text[0] == '[') {
        struct in6_addr address;
        std::string inside = text.substr(1, text.size() - 2);
        return text.size() > 2 && text.back() == ']' &&
               inet_pton(AF_INET6, inside.c_str(), &address) == 1;
    }
    for (size_t i = 0; i < text.size(); i++) {
        bool triplet = text[i] == '%' && i + 2 < text.size() &&
                       is_in(hexdigits, static_cast<Byte>(text[i + 1])) &&
                       is_in(hexdigits, static_cast<Byte>(text[i + 2]));
        if (triplet)
            i += 2;
        else if (!is_in(unreserved + sub_delims, static_cast<Byte>(text[i])))
            return false;
    }
    return !text.empty();
}

// Ours: five digits at most, and a number there is.
bool is_port(const std::string &text)
{
    return text.size() <= 5 && text.find_first_not_of(digits) == std::string::npos &&
           (text.empty() || std::stoi(text) <= 65535);
}

// uri-host [ ":" port ] (RFC 9110, 7.2); CONNECT needs one that there is (9.3.6).
bool is_authority(const std::string &text, bool needs_port)
{
    size_t colon = text.rfind(':');
    if (colon == std::string::npos || text.find(']', colon) != std::string::npos)
        return !needs_port && is_host(text);
    std::string port = text.substr(colon + 1);
    return is_host(text.substr(0, colon)) && is_port(port) &&
           !(needs_port && port.find_first_not_of('0') == std::string::npos);
}

// -- The target (RFC 9112, 3.2)

// RFC 3986, 2.1
Byte take_hexdigit(Cursor &in)
{
    if (!is_in(hexdigits, in.peek()))
        refuse(in.peek(), HTTP_BAD_TARGET);
    return in.take();
}

// Ours: any visible character but "#", and in a path no broken triplet and no "%00".
void read_path(Cursor &in, Message &message)
{
    message.path += static_cast<char>(in.take());
    while (in.peek() != '?' && in.peek() != ' ') {
        Byte byte = in.take();
        if (!is_visible(byte) || byte == '#')
            refuse(byte, HTTP_BAD_TARGET);
        message.path += static_cast<char>(byte);
        for (int i = 0; byte == '%' && i < 2; i++)
            message.path += static_cast<char>(take_hexdigit(in));
        if (byte == '%' && message.path.substr(message.path.size() - 3) == "%00")
            throw Refused{HTTP_BAD_TARGET};
    }
}

void read_query(Cursor &in, Message &message)
{
    if (in.peek() != '?')
        return;
    in.take();
    while (in.peek() != ' ') {
        Byte byte = in.take();
        if (!is_visible(byte) || byte == '#')
            refuse(byte, HTTP_BAD_TARGET);
        message.query += static_cast<char>(byte);
    }
}

// What an authority is made of; whether it is one shows when the head is whole. Ours: no userinfo.
void read_authority(Cursor &in, Message &message)
{
    do {
        Byte byte = in.peek();
        if (!is_in(unreserved + sub_delims + ":[]%", byte))
            refuse(byte, HTTP_BAD_TARGET);
        message.authority += static_cast<char>(in.take());
        for (int i = 0; byte == '%' && i < 2; i++)
            message.authority += static_cast<char>(take_hexdigit(in));
    } while (!is_in("/? ", in.peek()));
}

void read_absolute(Cursor &in, Message &message)
{
    message.form = HTTP_TARGET_ABSOLUTE;
    for (char c : std::string("http")) {
        if (lower(std::string(1, static_cast<char>(in.peek())))[0] != c)
            refuse(in.peek(), HTTP_BAD_TARGET);
        in.take();
    }
    if (is_in("sS", in.peek()))
        in.take();
    in.expect_text("://", HTTP_BAD_TARGET);
    read_authority(in, message);
    if (in.peek() == '/')
        read_path(in, message);
    else
        message.path = "/";
    read_query(in, message);
}

void read_target(Cursor &in, Message &message)
{
    if (message.method == "CONNECT") {
        message.form = HTTP_TARGET_AUTHORITY;
        read_authority(in, message);
    } else if (message.method == "OPTIONS" && in.peek() == '*') {
        message.form = HTTP_TARGET_ASTERISK;
        in.take();
    } else if (message.method == "PRI" && in.peek() == '*') {
        throw Refused{HTTP_UNSUPPORTED_VERSION}; // RFC 9113, 3.4
    } else if (in.peek() == '/') {
        read_path(in, message);
        read_query(in, message);
    } else {
        read_absolute(in, message);
    }
    in.expect(' ', HTTP_BAD_TARGET);
}

// -- The head (RFC 9112, 2 to 5)

class HeadReader {
  public:
    HeadReader(Cursor &cursor, const struct http_limits &its_limits)
        : in(cursor), limits(its_limits), start(cursor.position)
    {
    }

    Message read()
    {
        line_begins(limits.start_line, HTTP_LONG_START_LINE);
        if (in.peek() == '\r') { // RFC 9112, 2.2: one empty line
            in.line_end();
            line_begins(limits.start_line, HTTP_LONG_START_LINE);
        }
        request_line();
        while (in.peek() != '\r')
            field_line();
        in.line_end();
        in.stop = std::string::npos;
        return message;
    }

  private:
    void line_begins(uint64_t limit, enum http_fault too_long)
    {
        in.stop = in.position + limit + 2;
        in.too_long = too_long;
        if (in.stop >= start + limits.head) {
            in.stop = start + limits.head;
            in.too_long = HTTP_LONG_HEAD;
        }
    }

    // RFC 9112, 3
    void request_line()
    {
        message.method = in.take_some(token_characters, HTTP_BAD_METHOD);
        in.expect(' ', HTTP_BAD_METHOD);
        size_t target = in.position;
        read_target(in, message);
        message.target = in.text(target, in.position - 1);
        in.expect_text("HTTP/", HTTP_BAD_VERSION);
        if (is_in("023456789", in.peek()))
            throw Refused{HTTP_UNSUPPORTED_VERSION};
        in.expect_text("1.", HTTP_BAD_VERSION);
        if (!is_in(digits, in.peek()))
            refuse(in.peek(), HTTP_BAD_VERSION);
        message.minor = in.take() - '0';
        if (in.peek() != '\r')
            refuse(in.peek(), HTTP_BAD_VERSION);
        in.line_end();
        line_begins(limits.field, HTTP_LONG_FIELD);
    }

    // RFC 9112, 5
    void field_line()
    {
        if (is_in(" \t", in.peek()) && !message.fields.empty())
            throw Refused{HTTP_OBSOLETE_FOLD}; // 5.2
        if (is_in(token_characters, in.peek()) && message.fields.size() == limits.fields)
            throw Refused{HTTP_MANY_FIELDS};
        std::string name = in.take_some(token_characters, HTTP_BAD_FIELD_NAME), value;
        in.expect(':', HTTP_BAD_FIELD_NAME);
        while (is_value_byte(in.peek()))
            value += static_cast<char>(in.take());
        if (in.peek() != '\r')
            refuse(in.peek(), HTTP_BAD_FIELD_VALUE);
        in.line_end();
        line_begins(limits.field, HTTP_LONG_FIELD);
        message.fields.emplace_back(name, trim(value));
    }

    Cursor &in;
    const struct http_limits &limits;
    const size_t start;
    Message message;
};

// -- Framing (RFC 9112, 6 and 9)

std::vector<std::string> values(const Message &message, const std::string &name)
{
    std::vector<std::string> found;
    for (const auto &[its_name, value] : message.fields)
        if (lower(its_name) == name)
            found.push_back(value);
    return found;
}

// RFC 9112, 3.2
bool host_is_sound(const Message &message)
{
    std::vector<std::string> hosts = values(message, "host");
    if (hosts.size() > 1 || (hosts.empty() && message.minor > 0))
        return false;
    if (!hosts.empty() && !hosts[0].empty() && !is_authority(hosts[0], false))
        return false;
    return message.authority.empty() ||
           is_authority(message.authority, message.form == HTTP_TARGET_AUTHORITY);
}

// RFC 9110, 8.6. Ours: no list, not even of equal numbers, and no more than an int64_t holds.
bool read_length(const std::string &value, uint64_t *length)
{
    const std::string most = "9223372036854775807";
    if (value.empty() || value.find_first_not_of(digits) != std::string::npos)
        return false;
    std::string number = value.substr(std::min(value.find_first_not_of('0'), value.size() - 1));
    if (number.size() > most.size() || (number.size() == most.size() && number > most))
        return false;
    *length = std::stoull(number);
    return true;
}

// RFC 9112, 9.3
bool persists(const Message &message)
{
    bool close = false, keep_alive = false;
    for (const std::string &value : values(message, "connection"))
        for (const std::string &option : split(lower(value), ", \t")) {
            close |= option == "close";
            keep_alive |= option == "keep-alive";
        }
    return !close && (message.minor > 0 || keep_alive);
}

// Fills in how the message is framed; gives all the rules it breaks.
std::set<enum http_fault> frame(Message &message, const struct http_limits &limits)
{
    std::set<enum http_fault> faults;
    std::vector<std::string> lengths = values(message, "content-length");
    std::vector<std::string> codings = values(message, "transfer-encoding");

    if (!host_is_sound(message))
        faults.insert(HTTP_BAD_HOST);
    if (lengths.size() > 1 || (lengths.size() == 1 && !read_length(lengths[0], &message.length)))
        faults.insert(HTTP_BAD_CONTENT_LENGTH);
    if (!lengths.empty() && !codings.empty())
        faults.insert(HTTP_AMBIGUOUS_LENGTH);
    if (codings.size() > 1 || (!codings.empty() && message.minor == 0)) // 6.1
        faults.insert(HTTP_BAD_TRANSFER_ENCODING);
    else if (!codings.empty() && lower(codings[0]) != "chunked")
        faults.insert(is_token(codings[0]) ? HTTP_UNKNOWN_TRANSFER_CODING
                                           : HTTP_BAD_TRANSFER_ENCODING);
    for (const std::string &value : values(message, "expect")) // RFC 9110, 10.1.1
        for (const std::string &member : split(lower(value), ", \t"))
            if (member == "100-continue" && message.minor > 0)
                message.expects_continue = true;
            else if (!member.empty() && message.minor > 0)
                faults.insert(HTTP_UNKNOWN_EXPECTATION);
    for (const char *name : {"authorization", "content-range", "content-type", "if-modified-since",
                             "if-range", "if-unmodified-since", "proxy-authorization", "range"})
        if (values(message, name).size() > 1)
            faults.insert(HTTP_REPEATED_FIELD);
    if (limits.body != 0 && message.length > limits.body)
        faults.insert(HTTP_LONG_BODY);

    if (!codings.empty())
        message.body = HTTP_BODY_CHUNKED;
    else if (!lengths.empty())
        message.body = HTTP_BODY_SIZED;
    message.persistent = persists(message);
    if (message.body != HTTP_BODY_CHUNKED && message.length == 0)
        message.expects_continue = false;
    return faults;
}

// -- The chunked coding (RFC 9112, 7.1)

class ChunkedReader {
  public:
    ChunkedReader(Cursor &cursor, const struct http_limits &its_limits, Message &its_message)
        : in(cursor), limits(its_limits), message(its_message)
    {
    }

    void read()
    {
        for (uint64_t size; (size = chunk_size()) > 0;) {
            extension();
            counted -= std::min(counted, size);
            in.peek(); // it is told of with its first byte
            message.chunks.push_back(size);
            announced += size;
            for (; size > 0; size--)
                message.content += static_cast<char>(in.take());
            if (in.take() != '\r' || in.take() != '\n')
                throw Refused{HTTP_BAD_CHUNK_END};
        }
        extension();
        trailer_section();
        in.line_end();
    }

  private:
    // Ours: 16 digits at most, and a sum that an int64_t holds.
    uint64_t chunk_size()
    {
        uint64_t size = 0;
        if (!is_in(hexdigits, in.peek()))
            refuse(in.peek(), HTTP_BAD_CHUNK_SIZE);
        for (int count = 1; is_in(hexdigits, in.peek()); count++) {
            std::string digit(1, static_cast<char>(in.take()));
            if (count > 16)
                throw Refused{HTTP_BAD_CHUNK_SIZE};
            size = size * 16 + std::stoul(digit, nullptr, 16);
            if (size > INT64_MAX || size + announced > INT64_MAX)
                throw Refused{HTTP_BAD_CHUNK_SIZE};
            if (limits.body != 0 && size + announced > limits.body)
                throw Refused{HTTP_LONG_BODY};
        }
        if (!is_in("\r; \t", in.peek()))
            refuse(in.peek(), HTTP_BAD_CHUNK_SIZE);
        return size;
    }

    // 7.1.1. Ours: no white space before the end of the line, and the limit is for all of them,
    // each byte of data giving one back.
    void extension()
    {
        bool white = false;
        while (in.peek() != '\r') {
            white_space();
            one(in.peek() == ';');
            white_space();
            token();
            white = white_space();
            if (in.peek() == '=') {
                one(true);
                white_space();
                if (in.peek() == '"')
                    quoted_string();
                else
                    token();
                white = white_space();
            }
            if (white && in.peek() != ';')
                refuse(in.peek(), HTTP_BAD_CHUNK_EXTENSION);
        }
        in.line_end();
    }

    // A byte of an extension.
    void one(bool is_right)
    {
        if (!is_right)
            refuse(in.peek(), HTTP_BAD_CHUNK_EXTENSION);
        in.take();
        if (++counted > limits.chunk_extension)
            throw Refused{HTTP_LONG_CHUNK_EXTENSION};
    }

    bool white_space()
    {
        bool any = false;
        for (; is_in(" \t", in.peek()); any = true)
            one(true);
        return any;
    }

    void token()
    {
        do
            one(is_in(token_characters, in.peek()));
        while (is_in(token_characters, in.peek()));
    }

    // RFC 9110, 5.6.4
    void quoted_string()
    {
        one(true);
        while (in.peek() != '"') {
            if (in.peek() == '\\')
                one(true);
            one(is_value_byte(in.peek()));
        }
        one(true);
    }

    // 7.1.2. Checked, and noted as it is, up to a fault.
    void trailer_section()
    {
        size_t start = in.position;
        auto some = [&](bool is_right, enum http_fault fault) {
            if (!is_right)
                refuse(in.peek(), fault);
            int byte = in.take();
            if (in.position - start > limits.trailer)
                throw Refused{HTTP_LONG_TRAILER};
            message.trailer += static_cast<char>(byte);
        };
        while (in.peek() != '\r') {
            do
                some(is_in(token_characters, in.peek()), HTTP_BAD_TRAILER);
            while (is_in(token_characters, in.peek()));
            some(in.peek() == ':', HTTP_BAD_TRAILER);
            while (is_value_byte(in.peek()))
                some(true, HTTP_BAD_TRAILER);
            some(in.peek() == '\r', HTTP_BAD_TRAILER);
            some(in.peek() == '\n', HTTP_BAD_LINE_END);
        }
    }

    Cursor &in;
    const struct http_limits &limits;
    Message &message;
    uint64_t announced = 0, counted = 0;
};

// -- The connection

void read_body(Cursor &in, const struct http_limits &limits, Message &message)
{
    if (message.body == HTTP_BODY_CHUNKED)
        ChunkedReader(in, limits, message).read();
    for (uint64_t left = message.length; left > 0; left--)
        message.content += static_cast<char>(in.take());
    message.whole = true;
}

// Reads a message; whether another may follow.
bool read_message(Cursor &in, const struct http_limits &limits, Reading &reading)
{
    Message message = HeadReader(in, limits).read();
    reading.faults = frame(message, limits);
    if (!reading.faults.empty()) {
        reading.end = End::REFUSED;
        return false;
    }
    reading.messages.push_back(message);
    read_body(in, limits, reading.messages.back());
    reading.position = in.position;
    return message.persistent;
}

// Does it until the input ends, or must.
template <typename Read> Reading read_all(const std::string &bytes, Read read)
{
    Reading reading;
    Cursor in(bytes, 0);
    try {
        while (in.position < bytes.size())
            if (!read(in, reading)) {
                if (reading.end == End::CLEAN && in.position < bytes.size())
                    reading.end = End::UNREAD;
                break;
            }
    } catch (Incomplete) {
        reading.end = End::INCOMPLETE;
    } catch (Refused refused) {
        reading.end = End::REFUSED;
        reading.faults = {refused.fault};
    }
    return reading;
}

} // namespace

Reading oracle_read(const std::string &bytes, const struct http_limits &limits)
{
    return read_all(
        bytes, [&](Cursor &in, Reading &reading) { return read_message(in, limits, reading); });
}

Reading oracle_read_chunked(const std::string &bytes, const struct http_limits &limits)
{
    return read_all(bytes, [&](Cursor &in, Reading &reading) {
        reading.messages.emplace_back();
        reading.messages[0].body = HTTP_BODY_CHUNKED;
        read_body(in, limits, reading.messages[0]);
        reading.position = in.position;
        return false;
    });
}

std::string describe(const Reading &reading)
{
    static const char *const ends[] = {"clean", "unread", "incomplete", "refused"};
    static const char *const forms[] = {"origin", "absolute", "authority", "asterisk"};
    static const char *const bodies[] = {"none", "sized", "chunked", "closed"};
    std::ostringstream text;
    for (const Message &m : reading.messages) {
        text << m.method << " [" << m.target << "] " << forms[m.form] << " [" << m.authority
             << "] [" << m.path << "] [" << m.query << "] 1." << m.minor << "\n";
        for (const auto &[name, value] : m.fields)
            text << "  " << name << ": [" << value << "]\n";
        text << "  body " << bodies[m.body] << " " << m.length
             << (m.persistent ? " persistent" : "") << (m.expects_continue ? " expected" : "")
             << (m.whole ? " whole" : "") << " [" << m.content << "]";
        for (uint64_t size : m.chunks)
            text << " " << size;
        // Of a section that is refused, how much was handed on depends on the pieces it came in.
        bool refused = !m.whole && reading.end == End::REFUSED;
        text << " [" << (refused ? "" : m.trailer) << "]\n";
    }
    text << ends[static_cast<int>(reading.end)] << ", " << reading.position << " bytes whole\n";
    return text.str();
}
