"""Makes the PDF, DOCX and XLSX files of `examples/knowledge` from the texts in `examples/sources`.

Run by hand after a change: `python -m examples.make_knowledge`. The two objection guides are Markdown and are
written directly. Brightloom, Loomdesk, Harborline and all figures are invented.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import docx
import pymupdf
from docx.document import Document as Docx
from docx.shared import Pt
from openpyxl import Workbook  # type: ignore[import-untyped]  # ships no types
from openpyxl.styles import Border, Font, PatternFill, Side  # type: ignore[import-untyped]  # as above

HERE = Path(__file__).parent
SOURCES = HERE / "sources"
TARGET = HERE / "knowledge"

Rows = Sequence[Sequence[Any]]

INVENTED = "Brightloom and its product Loomdesk are invented for Cornerman's examples; so are all prices."

PRICES = (
    "Valid from 1 July 2025, in USD without tax. On an annual contract, the Starter plan costs 19 per seat"
    " and month, the Team plan 39, the Business plan 69, the Enterprise plan 99."
)
PLANS: Rows = [
    ["", "Starter", "Team", "Business", "Enterprise"],
    ["Price per seat and month, annual contract (USD)", 19, 39, 69, 99],
    ["Price per seat and month, monthly billing (USD)", 23, 47, 83, "not offered"],
    ["Minimum seats", 1, 5, 15, 50],
    ["Maximum seats", 10, 100, 400, "none"],
    ["Onboarding fee, once (USD)", 0, 500, 2500, 9000],
    ["Channels", "email, web form", "plus chat, social", "plus Voice add-on", "Voice included"],
    ["Automation rules", 10, 50, 250, "no limit"],
    ["Brands", 1, 2, 5, 20],
    ["Report history", "30 days", "6 months", "24 months", "whole contract"],
    ["Loom Assist", "no", "add-on", "add-on", "included"],
    ["Single sign-on (SAML)", "no", "no", "yes", "yes"],
    ["Provisioning (SCIM)", "no", "no", "no", "yes"],
    ["Data region of choice", "no", "add-on", "add-on", "included"],
    ["API calls per minute", 60, 200, 600, 2000],
    ["File storage per seat (GB)", 2, 5, 10, 25],
]
PLANS_ZH: Rows = [
    ["", "入门版", "团队版", "商务版", "企业版"],
    ["每席位每月，按年签约（美元）", 19, 39, 69, 99],
    ["每席位每月，按月付费（美元）", 23, 47, 83, "不提供"],
    ["最少席位", 1, 5, 15, 50],
    ["最多席位", 10, 100, 400, "不限"],
    ["上线费，一次性（美元）", 0, 500, 2500, 9000],
    ["规则条数", 10, 50, 250, "不限"],
    ["品牌数", 1, 2, 5, 20],
    ["报表历史", "30 天", "6 个月", "24 个月", "整个合同期"],
    ["智能草稿", "无", "附加包", "附加包", "包含"],
    ["单点登录（SAML）", "无", "无", "有", "有"],
    ["自动开通账号（SCIM）", "无", "无", "无", "有"],
]
ADD_ONS: Rows = [
    ["Add-on", "Price (USD)", "Unit", "Plans", "Note"],
    ["Loom Assist", 12, "per seat and month", "Team, Business", "included in Enterprise"],
    ["Voice", 9, "per seat and month", "Business", "at least 5 seats; included in Enterprise"],
    [
        "Data region Frankfurt or Singapore",
        8,
        "per seat and month",
        "Team, Business",
        "included in Enterprise",
    ],
    ["Extra brand", 25, "per brand and month", "Team, Business", "up to 10 brands in all"],
    ["Sandbox", 300, "per month", "Business", "one included in Enterprise"],
    ["Premium support", "15 % of the subscription", "per year", "Business, Enterprise", "at least 4,000 USD"],
    ["Migration package", 3500, "once", "Team, Business, Enterprise", "up to 250,000 tickets"],
    ["Region move", 6000, "once", "Business, Enterprise", "on a planned weekend"],
    ["Training day, remote", 1200, "per day", "all", "up to 12 people"],
]
SERVICE: Rows = [
    ["", "Starter", "Team", "Business", "Enterprise"],
    ["Availability per month", "no promise", "99.8 %", "99.9 %", "99.95 %"],
    ["Support hours", "working days", "working days, 10 h", "working days, 16 h", "24/7"],
    ["Support channels", "email", "email", "email, chat", "email, chat, phone"],
    ["First answer, critical", "2 working days", "8 working hours", "4 working hours", "1 hour"],
    ["First answer, normal", "3 working days", "2 working days", "1 working day", "8 working hours"],
    ["Named contact", "no", "no", "from 100 seats", "yes"],
]
BY_SEATS: Rows = [
    ["Seats on an annual contract", "Discount"],
    ["1 to 24", "0 %"],
    ["25 to 49", "5 %"],
    ["50 to 99", "8 %"],
    ["100 to 249", "12 %"],
    ["250 to 499", "16 %"],
    ["500 and more", "20 %"],
]
BY_TERM: Rows = [
    ["Term", "Discount"],
    ["1 year", "0 %"],
    ["2 years", "5 %"],
    ["3 years", "10 %"],
    ["Whole term paid in advance", "2 % more"],
]
APPROVAL: Rows = [
    ["Further discount, beyond the tables", "Who approves", "How fast"],
    ["up to 5 %", "the representative", "at once"],
    ["up to 10 %", "the team lead", "the same day"],
    ["up to 18 %", "the regional director", "one working day"],
    ["above 18 %, or above 30 % in all", "the deal desk with the finance director", "two working days"],
]
RULES: Rows = [
    ["Rule", "What it says"],
    ["Adding up", "Seat and term discounts are added, not multiplied; together they stop at 25 %."],
    ["Counts for", "Plan seats and add-ons priced per seat."],
    ["Does not count for", "Onboarding, migration, training, region moves, premium support."],
    ["Starter and monthly billing", "No discounts at all."],
    ["Onboarding", "Only the regional director may waive it, from 100 seats and two years on."],
    ["Non-profit organisations", "20 % on Team and Business, instead of all other discounts."],
    ["In return", "A further discount needs a longer term, more seats, an earlier signature or a reference."],
    ["Validity", "A quote holds for 30 days."],
]
EXAMPLES: Rows = [
    ["Example, annual contract", "List per year", "Discount", "Net per year", "Once", "First year"],
    ["12 seats Team", 5616, "0 %", 5616, 500, 6116],
    ["40 seats Business with Assist", 38880, "5 %", 36936, 2500, 39436],
    ["60 seats Business, 2 years", 49680, "13 %", 43221.6, 2500, 45721.6],
    ["180 seats Enterprise, 3 years", 213840, "22 %", 166795.2, 9000, 175795.2],
]
VERSUS: Rows = [
    ["", "Loomdesk", "Harborline Desk"],
    [
        "Plans and prices (USD, seat and month, annual)",
        "19, 39, 69, 99",
        "Essential 29, Professional 59, Corporate 109",
    ],
    ["Smallest contract", "1 seat; Business 15", "10 seats in every plan"],
    ["Single sign-on", "from Business, 69", "Corporate only, 109"],
    ["AI drafts (USD, seat and month)", "12, sources named", "25, no sources"],
    ["Onboarding (USD)", "0, 500, 2,500, 9,000", "4,000, required from Professional on"],
    ["Time to go live, 40 seats", "3 to 4 weeks", "10 to 12 weeks"],
    ["Data regions", "Virginia, Frankfurt, Singapore", "Virginia, Dublin"],
    ["Report history", "24 months in Business", "12 months"],
    ["Automation rules", "250 in Business", "100 in Professional"],
    ["Voice", "add-on, 9, simple", "in Corporate, strong"],
    ["Workforce scheduling", "no", "from Professional on"],
    ["Marketplace", "140 apps", "420 apps"],
    ["Availability promised", "99.9 % in Business", "99.9 % in every plan"],
    ["Rise at renewal", "at most 5 % a year", "up to 9 % a year"],
    ["Support languages", "English, German, Mandarin", "English"],
]
COSTS: Rows = [
    ["40 seats, first year (USD)", "Loomdesk Business", "Harborline Professional", "Harborline Corporate"],
    ["Seats", "33,120", "28,320", "52,320"],
    ["AI drafts", "5,760", "12,000", "12,000"],
    ["Discount", "-1,944", "0", "0"],
    ["Onboarding", "2,500", "4,000", "4,000"],
    ["Sum", "39,436", "44,320", "68,320"],
    ["Single sign-on included", "yes", "no", "yes"],
]
SIGNALS: Rows = [
    ["You hear", "It means", "Do this"],
    [
        '"We need the shifts in the same tool"',
        "Harborline's field",
        "Ask how shifts are planned today; step back if it is a must",
    ],
    ['"IT wants SAML"', "our field", "Put Business beside Corporate, not beside Professional"],
    ['"Their quote is lower"', "seat price without onboarding or AI", "Offer the first-year page"],
    ['"Legal asks about Singapore"', "our field", "Bring the region table and the security lead"],
    [
        '"We take 5,000 calls a week"',
        "Harborline's field",
        "Ask for the share of all contacts; above a half, say so",
    ],
]

CSS = """
body { font-family: sans-serif; font-size: 10.5pt; line-height: 1.4; color: #1c2430; }
h1 { font-size: 22pt; color: #14406b; margin: 4pt 0 2pt 0; }
h2 { font-size: 15pt; color: #14406b; margin: 14pt 0 4pt 0; }
h3 { font-size: 12pt; color: #14406b; margin: 9pt 0 2pt 0; }
p, li { margin: 3pt 0 5pt 0; }
.note { font-size: 9pt; color: #7a3b00; }
.sub { color: #566070; }
table { border-collapse: collapse; width: 100%; margin: 6pt 0 8pt 0; }
td, th { border: 0.7pt solid #8793a3; padding: 3pt 5pt; font-size: 9pt; text-align: left; }
th { color: #14406b; font-weight: bold; }
.new { page-break-before: always; }
"""


def main() -> None:
    """Writes all but the Markdown files."""
    TARGET.mkdir(exist_ok=True)
    tables = {"plans": PLANS, "addons": ADD_ONS, "service": SERVICE}
    make_pdf("product-sheet", "Loomdesk product sheet", tables)
    make_pdf("product-sheet.zh", "Loomdesk product sheet (zh)", {"plans_zh": PLANS_ZH})
    make_pdf(
        "battlecard-harborline",
        "Battlecard: Harborline Desk",
        {"versus": VERSUS, "costs": COSTS, "signals": SIGNALS},
    )
    make_docx("sales-playbook")
    make_xlsx("price-list")


def make_pdf(name: str, title: str, tables: dict[str, Rows]) -> None:
    """A4 with page numbers, from HTML in which `{name}` stands for a table."""
    source = (SOURCES / f"{name}.html").read_text()
    for key, rows in tables.items():
        source = source.replace(f"{{{key}}}", html_table(rows))
    page = pymupdf.paper_rect("a4")
    inner = pymupdf.Rect(page.x0 + 56, page.y0 + 54, page.x1 - 56, page.y1 - 60)
    story = pymupdf.Story(html=source, user_css=CSS)
    pdf = story.write_with_links(lambda number, filled: (page, inner, None))
    for sheet in pdf:
        foot = f"{title}   {sheet.number + 1} / {pdf.page_count}"
        sheet.insert_text((56, page.height - 34), foot, fontsize=8, color=(0.4, 0.45, 0.5))
    pdf.set_metadata({"title": title, "author": "Brightloom (invented)"})
    pdf.subset_fonts()  # A whole Chinese font is 1.7 MB.
    pdf.save(TARGET / f"{name}.pdf", garbage=4, deflate=True)


def html_table(rows: Rows) -> str:
    """A ruled table whose first row is the header."""
    head, *body = [[html.escape(show(cell)) for cell in row] for row in rows]
    lines = ["<tr>" + "".join(f"<th>{cell}</th>" for cell in head) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in body]
    return f"<table>{''.join(lines)}</table>"


def show(cell: Any) -> str:
    """Thousands with a comma."""
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def make_docx(name: str) -> None:
    """Headings, paragraphs, lists and tables of a small Markdown file as Word's own styles."""
    document = docx.Document()
    document.styles["Normal"].font.size = Pt(11)
    document.core_properties.title = "Loomdesk sales playbook"
    document.core_properties.author = "Brightloom (invented)"
    for block in re.split(r"\n{2,}", (SOURCES / f"{name}.md").read_text().strip()):
        add_block(document, block)
    document.save(str(TARGET / f"{name}.docx"))


def add_block(document: Docx, block: str) -> None:
    """One block of Markdown: `#`, `-`, `1.`, `|`, `>` or a paragraph."""
    if heading := re.match(r"(#+) (.*)", block):
        document.add_heading(heading.group(2), level=len(heading.group(1)) - 1)
    elif block.startswith("|"):
        add_table(document, block.splitlines())
    elif item := re.match(r"(- |\d+\. )", block):
        style = "List Bullet" if item.group(1) == "- " else "List Number"
        for line in block.splitlines():
            add_runs(document.add_paragraph(style=style), re.sub(r"^(- |\d+\. )", "", line))
    else:
        style = "Intense Quote" if block.startswith("> ") else "Normal"
        add_runs(document.add_paragraph(style=style), block.removeprefix("> ").replace("\n", " "))


def add_table(document: Docx, lines: Sequence[str]) -> None:
    """The first line is the header, the second its rule."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "---" not in line]
    table = document.add_table(len(rows), len(rows[0]), style="Table Grid")
    for row, cells in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            run = cell.paragraphs[0].add_run(text)
            run.font.size = Pt(9.5)
            run.bold = cells is rows[0]
    document.add_paragraph()


def add_runs(paragraph: Any, text: str) -> None:
    """Bold between double, italic between single asterisks."""
    for piece in re.split(r"(\*\*.+?\*\*|\*.+?\*)", text):
        run = paragraph.add_run(piece.strip("*"))
        run.bold, run.italic = piece.startswith("**"), piece.startswith("*") and not piece.startswith("**")


def make_xlsx(name: str) -> None:
    """Sheets Plans, Add-ons and Discounts; tables are kept apart by an empty row."""
    book = Workbook()
    book.properties.title = "Loomdesk price list"
    book.properties.creator = "Brightloom (invented)"
    sheets: dict[str, list[str | Rows]] = {
        "Plans": [INVENTED, PRICES, PLANS],
        "Add-ons": ["Loomdesk add-ons. Per-seat add-ons are bought for all seats, except Voice.", ADD_ONS],
        "Discounts": [
            "Discounts by seats, for annual contracts in Team, Business and Enterprise.", BY_SEATS,
            "Discounts by term.", BY_TERM,
            "Approval limits for a further discount.", APPROVAL,
            "Rules for discounts.", RULES,
            "Examples. Net is list less discount; first year is net plus what is paid once.", EXAMPLES,
        ],
    }  # fmt: skip
    book.remove(book.worksheets[0])
    for title, parts in sheets.items():
        fill_sheet(book.create_sheet(title), parts)
    book.save(TARGET / f"{name}.xlsx")


def fill_sheet(sheet: Any, parts: Iterable[str | Rows]) -> None:
    """Texts and tables below one another, an empty row after each."""
    thin = Side(style="thin", color="8793A3")
    at = 1
    for part in parts:
        rows = [[part]] if isinstance(part, str) else part
        for row in rows:
            for column, value in enumerate(row, start=1):
                cell = sheet.cell(at, column, value)
                if not isinstance(part, str):
                    cell.border = Border(thin, thin, thin, thin)
                if row is rows[0]:
                    cell.font = Font(bold=True)
                    cell.fill = PatternFill("solid", fgColor="E4ECF5") if len(rows) > 1 else PatternFill()
            at += 1
        at += 1
    for letter, width in zip("ABCDEF", (46, 24, 24, 28, 40, 16), strict=True):
        sheet.column_dimensions[letter].width = width


if __name__ == "__main__":
    main()
