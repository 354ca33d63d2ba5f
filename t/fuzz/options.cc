// The command line and the environment. An input is words, each ended by NUL; those that begin with
// "$" are variables.

#include "fuzz/fuzz.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

extern "C" {
#include "options.h"
}

namespace {

std::string variable_of(const struct cli_option &option)
{
    std::string name = std::string("ASYNWSGI_") + option.name;
    for (char &c : name)
        c = c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return name;
}

struct Words {
    std::vector<std::string> arguments;
    std::vector<std::pair<std::string, std::string>> variables;

    explicit Words(const std::string &bytes)
    {
        for (size_t start = 0, end; start < bytes.size(); start = end + 1) {
            end = std::min(bytes.find('\0', start), bytes.size());
            std::string word = bytes.substr(start, end - start);
            size_t equals = word.find('=');
            if (word[0] != '$')
                arguments.push_back(word);
            else if (equals != std::string::npos && is_ours(word.substr(1, equals - 1)))
                variables.emplace_back(word.substr(1, equals - 1), word.substr(equals + 1));
        }
    }

    // No other is looked at, and this program's own environment shall stay as it is.
    static bool is_ours(const std::string &name)
    {
        for (size_t i = 0; i < cli_options_count; i++) {
            const struct cli_option &option = cli_options[i];
            if (option.name != nullptr &&
                (name == variable_of(option) || (option.variable && name == option.variable)))
                return true;
        }
        return false;
    }
};

// Reads the words, and sees to it that what came is as options.h says.
class Settings {
  public:
    int result;

    explicit Settings(Words words)
    {
        for (const auto &[name, value] : words.variables)
            setenv(name.c_str(), value.c_str(), 1);
        std::vector<char *> argv = {const_cast<char *>("asynwsgi")};
        for (std::string &argument : words.arguments)
            argv.push_back(argument.data());
        argv.push_back(nullptr);
        char explanation[CLI_EXPLANATION] = "";
        cli_settings_init(&settings);
        result = cli_options_read(&settings, static_cast<int>(argv.size()) - 1, argv.data(),
                                  explanation);
        problem = check(explanation);
        text = result == 0 ? write() : explanation;
        for (const auto &[name, value] : words.variables)
            unsetenv(name.c_str());
        cli_settings_fini(&settings);
        if (!problem.empty())
            fuzz_fail(problem + "\n" + text);
    }

    std::string text, problem;

  private:
    std::string check(const char *explanation)
    {
        if (result != 0 && result != -EINVAL)
            return "result " + std::to_string(result);
        if (result == -EINVAL && explanation[0] == '\0')
            return "no explanation";
        if (result == 0 && explanation[0] != '\0')
            return "an explanation of nothing";
        return result == 0 ? check_numbers() : "";
    }

    // Each is within its range, and comes back when it is written and read.
    std::string check_numbers()
    {
        for (size_t i = 0; i < cli_options_count; i++) {
            const struct cli_option &option = cli_options[i];
            if (option.name == nullptr || option.most == 0)
                continue;
            uint64_t number = cli_option_number(&option, &settings);
            if (number < option.least || number > option.most)
                return std::string(option.name) + " out of range";
            char written[UNITS_ROOM];
            option.kind->format(number, written);
            if (option.kind->read(&option, written, &settings) != 0 ||
                cli_option_number(&option, &settings) != number)
                return std::string(option.name) + " is not " + written;
        }
        return "";
    }

    std::string write() const
    {
        std::string all;
        for (size_t i = 0; i < cli_options_count; i++)
            if (cli_options[i].name != nullptr && cli_options[i].kind->format != nullptr)
                all += std::to_string(cli_option_number(&cli_options[i], &settings)) + " ";
        for (const struct cli_list *list :
             {&settings.binds, &settings.python_path, &settings.variables}) {
            for (size_t i = 0; i < list->count; i++)
                all += std::string(list->items[i]) + "\n";
            all += "\n";
        }
        const char *application = settings.server.wsgi.application;
        return all + (application != nullptr ? application : "");
    }

    struct cli_settings settings;
};

std::string word(const std::string &text)
{
    return text + '\0';
}

} // namespace

std::vector<std::string> fuzz_seeds()
{
    std::vector<std::string> seeds = {word("hello:app"), word("--") + word("-x"), word("-w4"),
                                      word("--workrs=2"), word("-e") + word("A=b")};
    const std::string values[] = {"1", "64k", "1m30s", "auto", "info", "poll", "a=b", "/a:/b", ""};
    size_t number = 0;
    for (size_t i = 0; i < cli_options_count; i++) {
        const struct cli_option &option = cli_options[i];
        if (option.name == nullptr)
            continue;
        const std::string name = option.name, value = values[number++ % 9];
        seeds.push_back(word("--" + name + "=" + value) + word("hello"));
        seeds.push_back(word("--" + name) + word(value));
        seeds.push_back(word("$" + variable_of(option) + "=" + value));
        if (option.variable != nullptr)
            seeds.push_back(word("$" + std::string(option.variable) + "=" + value));
    }
    return seeds;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Words words(Input(data, size).rest());
    Settings once(words);
    if (Settings(words).text != once.text)
        fuzz_fail("read otherwise the second time: " + once.text);
    return 0;
}
